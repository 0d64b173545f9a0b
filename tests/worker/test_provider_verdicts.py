"""What each provider's own refusals mean: only what is about the target may fail a delivery."""

import json
import warnings
from typing import Any

import pytest
from anymail.exceptions import AnymailNotSupportedWarning

from letters.endings import Ambiguous, Deferred, Ending, NotSent, Refused
from tests.worker.provider_lines import INSTALLED, a_letter, a_line_to
from worker.transports.provider import api_of
from worker.transports.provider.answers import Answer
from worker.transports.provider.api import Composed
from worker.transports.provider.verdicts import about

TO = a_letter().envelope_to
TARGET: dict[str, tuple[str, int, Any]] = {
    "mailgun, an address": ("mailgun", 400, {"message": "'to' parameter is not a valid address. please check"}),
    "mailgun, as it said before": ("mailgun", 400, {"message": "to parameter is not a valid address. please check"}),
    "postmark, an address": (
        "postmark", 422, {"ErrorCode": 300, "Message": f"Invalid 'To' address: '{TO}'."},
    ),
    "postmark, inactive": (
        "postmark", 422,
        {"ErrorCode": 406, "Message": "You tried to send to a recipient that has been marked as inactive.\n"
         f"Found inactive addresses: {TO}.\nInactive recipients are ones that have generated a hard bounce."},
    ),
    "postmark, taken but not delivered": (
        "postmark", 200,
        {"ErrorCode": 0, "MessageID": "n", "To": TO, "Message": "Message OK, but will not deliver to these inactive "
         f"addresses: {TO}. Inactive recipients are ones that have generated a hard bounce or a spam complaint."},
    ),
    "sendgrid": (
        "sendgrid", 400,
        {"errors": [{"message": "Does not contain a valid address.", "field": "personalizations.0.to.0.email",
                     "help": "http://sendgrid.example"}]},
    ),
    "brevo": ("brevo", 400, {"code": "invalid_parameter", "message": "email is not valid in to"}),
    "resend": (
        "resend", 422,
        {"statusCode": 422, "name": "validation_error", "message": "Invalid `to` field. The email address needs to …"},
    ),
    "mailersend, an address": (
        "mailersend", 422,
        {"message": "The given data was invalid.", "errors": {"to.0.email": ["The to.0.email must be valid."]}},
    ),
    "mailersend, suppressed": (
        "mailersend", 202,
        {"message": "There are some warnings", "warnings": [
            {"type": "ALL_SUPPRESSED", "recipients": [{"email": TO, "name": "", "reasons": ["hard_bounced"]}]}]},
    ),
    "mandrill, rejected": (
        "mandrill", 200, [{"email": TO, "status": "rejected", "reject_reason": "hard-bounce", "_id": "n"}],
    ),
    "mandrill, invalid": ("mandrill", 200, [{"email": TO, "status": "invalid"}]),
    "mandrill, an address": (
        "mandrill", 500,
        {"status": "error", "code": -2, "name": "ValidationError",
         "message": 'Validation error: {"message":{"to":[{"email":"An email address must contain a single @"}]}}'},
    ),
    "sparkpost, suppressed": (
        "sparkpost", 400,
        {"errors": [{"message": "Message generation rejected", "code": "1902",
                     "description": "recipient address suppressed due to customer policy"}]},
    ),
    "sparkpost, an address": (
        "sparkpost", 400, {"errors": [{"message": "At least one valid recipient is required", "code": "5002"}]},
    ),
    "sparkpost, counted": (
        "sparkpost", 200,
        {"results": {"total_rejected_recipients": 1, "total_accepted_recipients": 0, "id": "n"}},
    ),
    "mailjet": (
        "mailjet", 400,
        {"Messages": [{"Status": "error", "Errors": [
            {"ErrorCode": "mj-0013", "StatusCode": 400, "ErrorMessage": "is an invalid email address.",
             "ErrorRelatedTo": ["To[0].Email"]}]}]},
    ),
    "mailtrap": ("mailtrap", 400, {"success": False, "errors": ["'to' address is invalid"]}),
    "scaleway": (
        "scaleway", 400,
        {"type": "invalid_arguments", "message": "invalid argument(s)",
         "details": [{"argument_name": "to.0.email", "reason": "format", "help_message": "is not an address"}]},
    ),
    "unisender go": (
        "unisender-go", 400,
        {"status": "error", "code": 204, "message": "no valid recipients", "failed_emails": {TO: "unsubscribed"}},
    ),
    "unisender go, in a yes": (
        "unisender-go", 200,
        {"status": "success", "job_id": "n", "emails": [], "failed_emails": {TO: "permanent_unavailable"}},
    ),
}  # fmt: skip
OURS: dict[str, tuple[str, int, Any]] = {
    "mailgun, a domain": ("mailgun", 404, {"message": "Domain not found: letters.postbag.example"}),
    "mailgun, nothing in words": ("mailgun", 401, None),
    "mailgun, another address of its API": (
        "mailgun", 200, b"Mailgun Magnificent API",
    ),
    "mailgun, the sender": ("mailgun", 400, {"message": "from parameter is not a valid address. please check"}),
    "postmark, the sender": (
        "postmark", 422, {"ErrorCode": 300, "Message": "Invalid 'From' address: 'letter@letters.postbag.example'."},
    ),
    "postmark, no credit": ("postmark", 422, {"ErrorCode": 405, "Message": "You ran out of credits."}),
    "sendgrid, the sender": (
        "sendgrid", 403, {"errors": [{"message": "does not match a verified Sender", "field": "from"}]},
    ),
    "sendgrid, target and sender": (
        "sendgrid", 400,
        {"errors": [{"message": "no", "field": "personalizations.0.to.0.email"}, {"message": "no", "field": "from"}]},
    ),
    "brevo, the sender": ("brevo", 400, {"code": "invalid_parameter", "message": "Sending has been rejected: sender"}),
    "brevo, no credit": ("brevo", 402, {"code": "not_enough_credits", "message": "no credits"}),
    "resend, the domain": (
        "resend", 403, {"statusCode": 403, "name": "validation_error", "message": "The domain is not verified."},
    ),
    "resend, the key of other bytes": (
        "resend", 409, {"statusCode": 409, "name": "invalid_idempotent_request", "message": "Same key, other request"},
    ),
    "mailersend, the sender": (
        "mailersend", 422,
        {"message": "The from.email domain must be verified.", "errors": {"from.email": ["must be verified #MS42207"]}},
    ),
    "mandrill, the key": (
        "mandrill", 500, {"status": "error", "code": -1, "name": "Invalid_Key", "message": "Invalid API key"},
    ),
    "mandrill, the sender": (
        "mandrill", 500,
        {"status": "error", "code": -2, "name": "ValidationError",
         "message": 'Validation error: {"message":{"from_email":"An email address must contain a single @"}}'},
    ),
    "sparkpost, the domain": (
        "sparkpost", 400, {"errors": [{"message": "Invalid domain", "code": "7001", "description": "Unconfigured"}]},
    ),
    "mailjet, the sender": (
        "mailjet", 400,
        {"Messages": [{"Status": "error", "Errors": [
            {"ErrorCode": "send-0008", "StatusCode": 403, "ErrorMessage": "not an authorized sender",
             "ErrorRelatedTo": ["From"]}]}]},
    ),
    "mailjet, the key": ("mailjet", 401, {"ErrorCode": "mj-0002", "ErrorMessage": "API key authentication failure"}),
    "mailtrap, the domain": ("mailtrap", 403, {"success": False, "errors": ["Sending is not allowed"]}),
    "mailtrap, in a yes": ("mailtrap", 200, {"success": False, "errors": ["Unauthorized"]}),
    "postal, the key": (
        "postal", 200, {"status": "error", "data": {"code": "InvalidServerAPIKey", "message": "not valid"}},
    ),
    "postal, the sender": (
        "postal", 200, {"status": "parameter-error", "data": {"message": "UnauthenticatedFromAddress"}},
    ),
    "scaleway, the domain": ("scaleway", 403, {"type": "permissions_denied", "message": "insufficient permissions"}),
    "scaleway, a short subject": (
        "scaleway", 400,
        {"type": "invalid_arguments", "message": "invalid argument(s)",
         "details": [{"argument_name": "subject", "reason": "constraint", "help_message": "at least 10"}]},
    ),
    "unisender go, the key": ("unisender-go", 401, {"status": "error", "code": 102, "message": "not found"}),
}  # fmt: skip
LATER: dict[str, tuple[str, int, Any]] = {
    "sparkpost's own number": ("sparkpost", 420, {"errors": [{"message": "Exceed Sending Limit (daily)"}]}),
    "resend, the first is under way": (
        "resend", 409, {"statusCode": 409, "name": "concurrent_idempotent_requests", "message": "Try again later"},
    ),
    "unisender go, away for a while": (
        "unisender-go", 400, {"status": "error", "message": "no", "failed_emails": {TO: "temporary_unavailable"}},
    ),
    "unisender go, away, in a yes": (
        "unisender-go", 200, {"status": "success", "emails": [], "failed_emails": {TO: "temporary_unavailable"}},
    ),
    "scaleway, failed": ("scaleway", 200, {"emails": [{"id": "n", "mail_rcpt": TO, "status": "failed"}]}),
}  # fmt: skip
UNCLEAR: dict[str, tuple[str, int, Any]] = {
    "brevo, the key was used": ("brevo", 400, {"code": "duplicate_parameter", "message": "used before"}),
    "mandrill, its own failure": ("mandrill", 500, {"status": "error", "name": "GeneralError", "message": "oops"}),
    "mandrill, a status of its own": ("mandrill", 200, [{"email": TO, "status": "scheduled", "_id": "n"}]),
    "sparkpost, counts that do not fit": (
        "sparkpost", 200, {"results": {"total_rejected_recipients": 1, "total_accepted_recipients": 1, "id": "n"}},
    ),
    "scaleway, nobody": ("scaleway", 200, {"emails": []}),
    "postal, another form": ("postal", 200, {"status": "success", "data": {}}),
    "mailtrap, names missing": ("mailtrap", 200, {"success": True, "message_ids": []}),
    "unisender go, another form": ("unisender-go", 200, {"job_id": "n"}),
    "mailjet, another form": ("mailjet", 200, {"Sent": []}),
}  # fmt: skip


def told(case: tuple[str, int, Any]) -> Ending:
    """Return how an attempt ends that this provider answers like this."""
    esp, status, document = case
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AnymailNotSupportedWarning)
        api = api_of(a_line_to("http://127.0.0.1:1/", esp)._account)
    composed = api.compose(a_letter())
    assert isinstance(composed, Composed)
    body = b"" if document is None else document if isinstance(document, bytes) else json.dumps(document).encode()
    return api.judge(composed, Answer(status, {"content-type": "application/json"}, body))


@pytest.mark.parametrize("case", TARGET.values(), ids=TARGET)
def test_a_refusal_of_the_target_fails_the_delivery_with_an_enhanced_code(case: tuple[str, int, Any]) -> None:
    """5.1.3: the address is not valid, which counts against it. 5.7.1: it is valid and not written to."""
    ending = told(case)
    assert isinstance(ending, Refused), ending
    assert ending.code == case[1]
    assert ending.words[:6] in {"5.1.3 ", "5.7.1 "}


@pytest.mark.parametrize("case", OURS.values(), ids=OURS)
def test_every_other_refusal_is_our_own_fault_and_loses_no_letter(case: tuple[str, int, Any]) -> None:
    ending = told(case)
    assert isinstance(ending, NotSent), ending
    assert ending.hold
    assert ending.words.startswith(f"{case[0]} refuses our request ({case[1]}): ")
    assert len(ending.words) > len(f"{case[0]} refuses our request ({case[1]}): "), "it says why"


@pytest.mark.parametrize("case", LATER.values(), ids=LATER)
def test_what_passes_is_tried_again(case: tuple[str, int, Any]) -> None:
    ending = told(case)
    assert isinstance(ending, Deferred), ending
    assert ending.code == case[1]


@pytest.mark.parametrize("case", UNCLEAR.values(), ids=UNCLEAR)
def test_what_may_have_been_taken_is_unclear(case: tuple[str, int, Any]) -> None:
    assert isinstance(told(case), Ambiguous)


@pytest.mark.parametrize("esp", INSTALLED)
@pytest.mark.parametrize(
    "document",
    [None, [], {}, "x", 7, {"errors": "x"}, {"errors": [7]}, {"Messages": [{"Errors": 7}]}, {"details": {}},
     {"failed_emails": []}, {"message": {"deep": [[[[]]]]}}, {"ErrorCode": 300, "Message": "Invalid 'To' address"}],
)  # fmt: skip
def test_no_form_of_a_no_is_taken_for_the_target_s(esp: str, document: object) -> None:
    """Whatever it looks like: an attempt ends, and nothing fails that a person has not seen."""
    ending = told((esp, 422, document))
    assert isinstance(ending, NotSent), ending
    assert ending.hold


def test_a_provider_without_ways_of_its_own_has_no_verdict() -> None:
    assert about("postmark", 400, {}, "'to' parameter is not a valid address") is None
