"""How one cell of a gradient comes about: what comes from behind, what the layer read, the products, and what is let through.

Nothing here knows a layer. The formulas of a gradient are taken apart, and it is seen how what they read moves with the cell:
by so much for each filter, channel, row and column. Tables say that; the chosen gradient's rows say where INDEX finds the numbers.
"""
