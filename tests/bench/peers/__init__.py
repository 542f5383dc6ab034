"""List pages of other products, each set up as its documentation says.

These modules run in an environment of their own and import nothing of Callytics.
"""
