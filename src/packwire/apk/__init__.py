"""What an app's package says about the protocol that the app speaks; nothing of the app is run."""
