"""What happens to a detected port by itself: nothing, a notice, or that it is exposed privately.

`rules` reads what the server's configuration says, `wishes` what a notebook says of itself,
`policy` decides, and `exposing` acts.
"""
