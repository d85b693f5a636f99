"""Routes that items_router answers itself; the rest is proxied (see `routing.py`)."""

from django.urls import path

from items_router.recommendation_views import RecommendationsView, SimilarView
from items_router.views import (
    CollectionListView,
    CollectionView,
    CombinedItemsView,
    FacetsView,
    SnapshotView,
    ToldView,
)

urlpatterns = [
    path("api/items/", CombinedItemsView.as_view()),
    path("api/products/", CombinedItemsView.as_view(schema=None)),
    path("api/items/recommendations/", RecommendationsView.as_view()),
    path("api/products/recommendations/", RecommendationsView.as_view(schema=None)),
    path("api/items/facets/", FacetsView.as_view()),
    path("api/products/facets/", FacetsView.as_view(schema=None)),
    path("api/items/<str:item_id>/", SnapshotView.as_view()),
    path("api/products/<str:item_id>/", SnapshotView.as_view(schema=None)),
    path("api/items/<str:item_id>/similar/", SimilarView.as_view()),
    path("api/products/<str:item_id>/similar/", SimilarView.as_view(schema=None)),
    path("internal/changes/", ToldView.as_view()),
    path("api/collections/", CollectionListView.as_view()),
    path("api/collections/<slug:slug>/", CollectionView.as_view()),
]
