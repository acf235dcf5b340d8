"""What the API page says before its list of paths, in both languages."""

INTRO = """\
邻里城市社区服务接口。Linli runs a city's communities: what its residents, staff and partners' systems can do.

- **登录 Sign in**：居民用手机验证码 `POST /v1/sign-in/codes`、`/v1/sign-in/tokens`，工作人员用
  `POST /v1/sign-in/staff`；之后在 Authorize 中填入 `access_token`。Residents sign in with a code that comes to their
  phone, staff with password and one-time code; then give the `access_token` at *Authorize*.
- **重复提交 Repeats**：新建或办理的 POST 带 `Idempotency-Key`，同一个键再次提交不会重复生效（登录和推荐不需要）。Each
  POST that makes or changes something carries an `Idempotency-Key` (signing in and suggestions do not): the same key
  again gives the same answer and changes nothing.
- **版本 Versions**：应答的 `ETag` 可放在 `If-Match` 中，别人先改过时得到 412。Give an answer's `ETag` as `If-Match`,
  and you get 412 where somebody else was first.
- **出错 Refusals**：`application/problem+json`，`code` 稳定，`detail` 按 `Accept-Language`（zh、en）说明该怎么办。Every
  refusal has a stable `code` and says in `detail`, in zh or en, what to do; 429 and 503 carry `Retry-After`.
- **列表 Lists**：`limit` 最多 200，`next` 作为下一页的 `after`。At most 200 a page; `next` is the `after` of the next.
"""

TAGS = {
    "sign-in": "登录、刷新、退出 · Sign in, stay signed in, sign out",
    "calendar": "工作日历：工作时间、节假日和调休 · When the city works: hours, holidays, make-up days",
    "catalogue": "服务事项，按描述推荐 · What can be asked for, and which of it fits somebody's words",
    "requests": "诉求：从提出到评价 · Requests, from filing to rating",
    "track": "凭编号和查询码查看进度，无需登录 · Follow a request by number and code, without signing in",
    "inbox": "消息与实时推送 · Messages, also live",
    "preferences": "通知方式 · How somebody wants to be told",
    "areas": "区域：市、旗县、街道、社区、网格 · The city's areas",
    "organisations": "服务中心、服务站、部门 · Centres, stations, departments",
    "teams": "志愿服务队 · Volunteer teams",
    "rosters": "值班表 · Duty rosters",
    "audit": "审计 · Audit",
    "people": "居民档案 · People's profiles",
    "accounts": "工作人员账号 · Staff accounts",
}
"""The groups of paths, in the order in which they are shown."""
