#!/bin/sh
# A function binary takes no arguments; the test executable needs some to be one.
exec "$DOUBLE_EXECUTABLE" --ignored --exact double::function --nocapture
