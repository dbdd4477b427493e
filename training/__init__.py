"""How the house models are made: the world they are shown, the words for it, the stages of training, the judging."""
