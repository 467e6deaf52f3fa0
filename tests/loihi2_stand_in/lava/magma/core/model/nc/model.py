class AbstractNcProcessModel:
    pass
