"""KaisouMail."""
