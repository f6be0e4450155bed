"""The time grammar: what people call periods, in Korean and English, as half-open windows of the plant."""
