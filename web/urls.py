"""Every address that answers HTTP."""

from django.urls import URLPattern, URLResolver, include, path

from web import front

urlpatterns: list[URLPattern | URLResolver] = [
    path("", front.home, name="home"),
    path("healthz", front.health, name="health"),
    path("organise/sign-in/", include("allauth.urls")),
    path("organise/", include("web.organisers.urls")),
    path("postbox/", include("web.postbox")),
    path("embed/", include("web.embed.urls")),
    path("hooks/", include("web.hooks.urls")),
    path("", include("web.supporters.urls")),
]
