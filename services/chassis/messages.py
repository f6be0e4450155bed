"""What people are told about each reason, in Korean and in English. Developers read `FactoryError.message`."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.errors import Reason


@dataclass(frozen=True, slots=True)
class Text:
    """One sentence in both languages."""

    ko: str
    en: str


TEXTS: Mapping[Reason, Text] = {
    Reason.INVALID_ARGUMENT: Text(
        "요청 내용이 올바르지 않습니다. 표시된 항목을 고쳐 주세요.",
        "The request is not valid. Please correct the fields named.",
    ),
    Reason.MALFORMED_REQUEST: Text(
        "요청 형식을 읽을 수 없습니다.",
        "The request could not be read.",
    ),
    Reason.REQUEST_TOO_LARGE: Text(
        "요청이 너무 큽니다. 크기를 줄여 다시 보내 주세요.",
        "The request is too large. Please send less.",
    ),
    Reason.UNAUTHENTICATED: Text(
        "로그인이 필요합니다.",
        "Please sign in.",
    ),
    Reason.TOKEN_EXPIRED: Text(
        "로그인 시간이 만료되었습니다. 다시 로그인해 주세요.",
        "Your session has expired. Please sign in again.",
    ),
    Reason.PERMISSION_DENIED: Text(
        "이 작업을 할 권한이 없습니다.",
        "You do not have permission to do this.",
    ),
    Reason.NOT_FOUND: Text(
        "요청하신 항목을 찾을 수 없습니다.",
        "What you asked for was not found.",
    ),
    Reason.UNKNOWN_PLANT: Text(
        "해당 공장을 찾을 수 없습니다.",
        "There is no such plant.",
    ),
    Reason.UNKNOWN_METRIC: Text(
        "해당 지표를 찾을 수 없습니다.",
        "There is no such metric.",
    ),
    Reason.UNKNOWN_TARGET: Text(
        "해당 설비나 라인, 제품을 찾을 수 없습니다.",
        "There is no such machine, line or product.",
    ),
    Reason.DATA_NOT_AVAILABLE: Text(
        "이 공장에는 질문에 필요한 데이터가 없습니다.",
        "This plant has no data for that question.",
    ),
    Reason.ALREADY_EXISTS: Text(
        "이미 있는 항목입니다.",
        "It already exists.",
    ),
    Reason.REQUEST_ID_REUSED: Text(
        "같은 요청 번호가 다른 내용으로 이미 사용되었습니다.",
        "This request id was already used with different content.",
    ),
    Reason.FAILED_PRECONDITION: Text(
        "지금 상태에서는 처리할 수 없습니다.",
        "This is not possible in the current state.",
    ),
    Reason.INVALID_STATE: Text(
        "현재 상태에서는 이 작업을 할 수 없습니다.",
        "Its current state does not allow this.",
    ),
    Reason.INVALID_PAGE_TOKEN: Text(
        "페이지 정보가 올바르지 않습니다. 처음부터 다시 조회해 주세요.",
        "The page token is not valid. Please start from the first page.",
    ),
    Reason.INVALID_DEFINITION: Text(
        "워크플로 정의에 오류가 있습니다.",
        "The workflow definition has errors.",
    ),
    Reason.INVALID_PLAN: Text(
        "실행 계획이 검사를 통과하지 못했습니다.",
        "The plan did not pass its checks.",
    ),
    Reason.INVALID_EXPRESSION: Text(
        "조건식에 오류가 있습니다.",
        "The condition has an error.",
    ),
    Reason.INVALID_RULE_SET: Text(
        "규칙에 오류가 있습니다.",
        "The rule set has errors.",
    ),
    Reason.NO_BRANCH_TAKEN: Text(
        "조건에 맞는 다음 단계가 없어 진행할 수 없습니다.",
        "No branch matched, so the run cannot go on.",
    ),
    Reason.IMPORT_REJECTED: Text(
        "파일을 읽을 수 없어 아무것도 가져오지 않았습니다.",
        "The file could not be read; nothing was imported.",
    ),
    Reason.CONFLICT: Text(
        "다른 작업과 겹쳤습니다. 다시 시도해 주세요.",
        "Something else changed it at the same time. Please try again.",
    ),
    Reason.OVERLOADED: Text(
        "요청이 많아 지금은 처리할 수 없습니다. 잠시 후 다시 시도해 주세요.",
        "The system is busy. Please try again shortly.",
    ),
    Reason.DEPENDENCY_UNAVAILABLE: Text(
        "일시적으로 연결할 수 없습니다. 잠시 후 다시 시도해 주세요.",
        "The system is temporarily unavailable. Please try again shortly.",
    ),
    Reason.SHUTTING_DOWN: Text(
        "서버를 다시 시작하고 있습니다. 바로 다시 시도해 주세요.",
        "The server is restarting. Please try again.",
    ),
    Reason.DEADLINE_EXCEEDED: Text(
        "제한 시간 안에 처리하지 못했습니다.",
        "It could not be finished in time.",
    ),
    Reason.CANCELLED: Text(
        "요청이 취소되었습니다.",
        "The request was cancelled.",
    ),
    Reason.UNIMPLEMENTED: Text(
        "아직 지원하지 않는 기능입니다.",
        "This is not supported yet.",
    ),
    Reason.INTERNAL: Text(
        "내부 오류가 발생했습니다. 문의하실 때 요청 번호를 알려 주세요.",
        "Something went wrong on our side. Please quote the request id.",
    ),
}
