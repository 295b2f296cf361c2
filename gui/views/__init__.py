"""The comparison of pictures: linked panes, wipe, flip, blink. Plain data in, signals out; no codecs, no jobs."""
