"""The routes of an item service, made from its kind."""

from django.urls import URLPattern, path

from shopkit.items import internal, purchases, stock, stock_log
from shopkit.items.described import of_kind
from shopkit.items.kind import ItemKind
from shopkit.items.opinion_views import ImageListView, ImageView, LikeView, MyReviewView, ReviewListView, ReviewView
from shopkit.items.views import ItemListView, ItemView, KindView, StockLogView, StockView

_ROUTES: tuple[tuple[str, type[KindView]], ...] = (
    ("", ItemListView),
    ("<str:item_id>/", ItemView),
    ("<str:item_id>/stock/", StockView),
    ("<str:item_id>/stock/log/", StockLogView),
    ("<str:item_id>/reviews/", ReviewListView),
    ("<str:item_id>/reviews/mine/", MyReviewView),
    ("<str:item_id>/reviews/<str:review_id>/", ReviewView),
    ("<str:item_id>/like/", LikeView),
    ("<str:item_id>/images/", ImageListView),
    ("<str:item_id>/images/<str:image_name>/", ImageView),
)
_ALIASES = ("items", "products")


def item_urls(kind: ItemKind) -> list[URLPattern]:
    """The kind's own path, described in the schema, and those that the items router passes on, which are the same."""
    views = [(rest, of_kind(view, kind)) for rest, view in _ROUTES]
    typed = [path(f"api/{kind.path}/{rest}", view.as_view()) for rest, view in views]
    aliases = [path(f"api/{alias}/{rest}", view.as_view(schema=None)) for alias in _ALIASES for rest, view in views]
    reservations = internal.reservation_urls(
        reserve=internal.reserve,
        release=stock.release,
        commit=internal.commit,
        restock=internal.restock,
        buyer=purchases.change_buyer,
    )
    page = path("internal/stocktaking/", internal.StockPageView.as_view(page=staticmethod(stock_log.page_of_stock)))
    facts = path("internal/facts/", internal.FactsView.as_view(look=staticmethod(internal.facts(kind))))
    changed = path("internal/changes/", internal.ChangesView.as_view(kind=kind))
    return [*typed, *aliases, *reservations, page, facts, changed]
