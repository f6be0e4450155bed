"""The front door: conversation, plan making and checking, decisions and their passports."""
