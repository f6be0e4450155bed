"""The services of the AI Factory Decision Engine, their chassis, and the tools around them."""
