"""What a book is to the items kernel."""

from book_service.serializers import BookSerializer
from shopkit.items.filters import after, contains, equals, exactly
from shopkit.items.kind import ItemKind

KIND = ItemKind(
    type="book",
    path="books",
    serializer=BookSerializer,
    filters={
        "author": contains("author"),
        "genre": equals("genre"),
        "publisher": contains("publisher"),
        "isbn": exactly("isbn"),
        "language": equals("language"),
        "published_after": after("published"),
    },
    searched=("author", "publisher", "genre", "isbn"),
)
