"""What must hold before a result may be believed."""
