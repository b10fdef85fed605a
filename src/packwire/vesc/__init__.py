"""The VESC protocol without I/O: framing, commands, replies, hub login, and what each hardware answers.

Facts were read off the firmware (bldc, vesc_express, vesc_bms_fw) and VESC Tool; the files are named where
a fact is used.
"""
