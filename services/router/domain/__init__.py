"""The classifier: rules, lexicon, time and slot grammar, dialogue cues. Pure."""
