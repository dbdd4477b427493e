"""demo: the whole loop on the example campaign, with a simulator of known truth in place of the ad platform."""
