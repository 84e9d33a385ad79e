"""How one cell of a layer comes about, by its windows, kernels, products and sums.

All layers share the same cells. What differs between them, from the stride to the distance of their kernels on the
sheet, stands in a table with a row for each layer; the chosen layer's row says where INDEX finds the numbers. Nothing
is volatile. `Grid`s of layers are found by their names, so that rows may be inserted above or beside them.
"""
