"""Steps that change something in the world: paper, signature, money, cards. Intent before, outcome after."""
