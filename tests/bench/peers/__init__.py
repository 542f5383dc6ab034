"""What people have today for such a list, each set up as its documentation says.

These modules run in an environment of their own and import nothing of Callytics.
"""
