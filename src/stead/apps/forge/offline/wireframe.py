"""A wireframe by rule: a home page, and a page with a list and a form for each feature."""

from __future__ import annotations

from typing import Final

from stead.apps.forge.offline import LABEL
from stead.apps.forge.offline.words import cut
from stead.apps.forge.paths import as_name
from stead.apps.forge.planning import component_name
from stead.apps.forge.protocol import Component, PageRoute, RequirementsDoc, WireframeSpec

_MAX_PAGES: Final = 5


def wireframe(requirements: RequirementsDoc) -> WireframeSpec:
    """The pages for the features, the most needed first."""
    ranks = {"must-have": 0, "should-have": 1, "nice-to-have": 2}
    features = sorted(requirements.core_features, key=lambda feature: ranks[feature.priority.value])
    pages = [
        PageRoute(
            path="/",
            description=f"{LABEL} Home of {requirements.app_name}, by rule from its features.",
            components=[Component(name="FeatureList", props=["features"], children=["FeatureCard"])],
        )
    ]
    taken = {"/"}
    for n, feature in enumerate(features[:_MAX_PAGES], 1):
        words = " ".join(feature.name.split()[:3])
        path = f"/{as_name(words).lower() or f'feature-{n}'}"
        if path in taken:
            path = f"{path}-{n}"
        taken.add(path)
        name = component_name(words) or f"Feature{n}"
        pages.append(
            PageRoute(
                path=path,
                description=cut(f"{LABEL} {feature.description}", 500),
                components=[
                    Component(name=f"{name}List"[:60], props=["items"], children=[]),
                    Component(name=f"{name}Form"[:60], props=["onSave"], children=[]),
                ],
            )
        )
    return WireframeSpec(
        site_map=pages,
        global_state_needs=[cut(feature.name, 100) for feature in features[:_MAX_PAGES]],
        theme_colors=["#1f2937", "#f9fafb", "#2563eb"],
    )
