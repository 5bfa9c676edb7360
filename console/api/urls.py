"""Addresses of the ground floor under `/api/v1/`, without a trailing slash."""

from __future__ import annotations

from django.urls import path

from console.api.views import flows

urlpatterns = [
    path("flows", flows.Flows.as_view()),
    path("flows/<uuid:flow_id>", flows.FlowDetail.as_view(), name="api-flow"),
    path("flows/<uuid:flow_id>/log", flows.FlowLog.as_view()),
    path("flows/<uuid:flow_id>/cancel", flows.CancelFlow.as_view()),
    path("flows/<uuid:flow_id>/steps/<int:step_id>/retry", flows.RetryStep.as_view()),
    path("flows/<uuid:flow_id>/steps/<int:step_id>/skip", flows.SkipStep.as_view()),
]
