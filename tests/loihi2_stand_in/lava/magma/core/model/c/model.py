class CLoihiProcessModel:
    pass
