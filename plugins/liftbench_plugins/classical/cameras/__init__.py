"""Steps of classical methods that find cameras."""
