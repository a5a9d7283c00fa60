"""The six agents and the pipeline, each as functions of a stage."""
