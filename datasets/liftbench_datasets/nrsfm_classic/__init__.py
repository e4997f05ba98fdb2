"""The classical sequences of Akhter and Torresani."""
