"""A model for other programs: Wireshark, CAN tools, ESPHome, aiobmsble, a page to read.

`decoding` writes the one decoder of a model in whatever language a target speaks; the targets add what is
their own. What a target cannot express stands in its output as a comment, and in `Exported.left_out`.
"""
