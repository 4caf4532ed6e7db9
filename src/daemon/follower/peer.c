/* SPDX-License-Identifier: Apache-2.0
 * Passes calls on to the writer by libcurl. */
#include "daemon/follower/peer.h"

#include <curl/curl.h>
#include <inttypes.h>

#include "auth/guard/guard_endpoint.h"
#include "base/clock.h"

enum {
	PROOF_AGE_MAX_S = 60,
	CONNECT_MS = 1000,
	ANSWER_MS = 40000,
	ANSWER_CAP = 64 * 1024 * 1024,
	STREAM_FROM = 1024 * 1024, /* bytes of an answer that is passed on while it arrives */
	ANSWER_SILENCE_S = ANSWER_MS / 1000,
	LOOK_MS = 1000,
	UPLOAD_SILENCE_S = 600, /* the writer reads a whole disk image before it answers */
};
static const char peer_header[] = "X-Dari-Peer";

/* ---- the proof ---- */

/* The proof covers what the call is and who makes it, so that it is of no use for another one. */
static struct str prove(const uint8_t *master_key, struct call *call, struct str origin)
{
	static const char *const covered[] = {"Authorization", "X-Auth-Token", "Cookie"};
	uint8_t key[SHA256_SIZE], mac[SHA256_SIZE];
	struct str text = str_print(call->ctx.arena, "%" STR_FMT "\n%" STR_FMT "\n%" STR_FMT "\n%" STR_FMT,
				    STR_ARG(origin), STR_ARG(call->method_name), STR_ARG(call->path),
				    STR_ARG(call->query));
	for (size_t k = 0; k < sizeof covered / sizeof covered[0] && text.p; k++)
		text = str_print(call->ctx.arena, "%" STR_FMT "\n%" STR_FMT, STR_ARG(text),
				 STR_ARG(call_header(call, covered[k])));
	crypto_hmac_sha256(master_key, MASTER_KEY_SIZE, STR("dari-peer"), key);
	crypto_hmac_sha256(key, sizeof key, text, mac);
	crypto_wipe(key, sizeof key);
	return text.p ? str_encode_hex(call->ctx.arena, mac, sizeof mac) : STR_NONE;
}

bool peer_is_passed_on(const struct call *call)
{
	return call_header(call, peer_header).n > 0;
}

/* The scheme, and behind it the VPC endpoint of a call that came through one: "https/VPC/ENDPOINT/GUEST". */
static struct str write_scheme(const struct call *call)
{
	const struct guard_endpoint *of = guard_get_endpoint(call);
	const char *scheme = call->is_tls ? "https" : "http";
	char router[UUID_TEXT_SIZE], endpoint[UUID_TEXT_SIZE], guest[IP_TEXT_SIZE];
	if (!of)
		return str_from(scheme);
	return str_print(call->ctx.arena, "%s/%s/%s/%s", scheme, uuid_write(of->router, router),
			 uuid_write(of->endpoint, endpoint), ip_write(of->guest, guest));
}

static bool take_scheme(struct call *call, struct str text)
{
	struct str rest = text, scheme = STR_NONE, router = STR_NONE, endpoint = STR_NONE, guest = STR_NONE;
	struct guard_endpoint of = {0};
	if (!str_split_next(&rest, '/', &scheme))
		return false;
	call->is_tls = str_is(scheme, "https");
	if (!str_split_next(&rest, '/', &router))
		return true;
	if (!str_split_next(&rest, '/', &endpoint) || !str_split_next(&rest, '/', &guest) ||
	    !result_is_ok(uuid_parse(router, &of.router)) ||
	    !result_is_ok(uuid_parse(endpoint, &of.endpoint)) || !result_is_ok(ip_parse(guest, &of.guest)))
		return false;
	guard_note_endpoint(call, &of);
	return true;
}

/* The header: the client's address, scheme and endpoint, seconds, the proof of these. */
bool peer_take_client(const uint8_t *master_key, struct call *call)
{
	struct str rest = call_header(call, peer_header), client = STR_NONE, scheme = STR_NONE,
		   time = STR_NONE, proof = STR_NONE;
	const char *from = rest.p;
	struct ip ip = {0};
	int64_t at_s = 0;
	if (!str_split_next(&rest, ' ', &client) || !str_split_next(&rest, ' ', &scheme) ||
	    !str_split_next(&rest, ' ', &time) || !str_split_next(&rest, ' ', &proof) ||
	    !result_is_ok(ip_parse(client, &ip)) || !result_is_ok(str_parse_int(time, &at_s)))
		return false;
	struct str wanted = prove(master_key, call, (struct str){from, (size_t) (time.p + time.n - from)});
	int64_t age_s = clock_now_us() / SECOND - at_s;
	if (age_s > PROOF_AGE_MAX_S || age_s < -PROOF_AGE_MAX_S || !wanted.n || wanted.n != proof.n ||
	    !crypto_equal(wanted.p, proof.p, wanted.n))
		return false;
	call->peer = ip;
	call->peer_port = 0;
	return take_scheme(call, scheme);
}

/* ---- the request ---- */

static bool is_one_of(struct str name, const char *const *names)
{
	for (; *names; names++)
		if (str_equal_nocase(name, str_from(*names)))
			return true;
	return false;
}

struct passing_header {
	RESULT (*each)(void *arg, struct str name, struct str value);
	void *arg;
	bool is_upgrade;
};

/* Headers of the connection are this process's own, but for those that ask for a websocket. */
static RESULT pass_header(void *arg, struct str name, struct str value)
{
	static const char *const own[] = {"Content-Length", "Transfer-Encoding", "Expect",
					  "Keep-Alive",     peer_header,         NULL};
	static const char *const upgrade[] = {"Connection", "Upgrade", NULL};
	const struct passing_header *p = arg;
	bool is_own = is_one_of(name, own) || (!p->is_upgrade && is_one_of(name, upgrade));
	return is_own ? OK : p->each(p->arg, name, value);
}

RESULT peer_each_header(struct peer_call *peer, RESULT (*each)(void *arg, struct str name, struct str value),
			void *arg)
{
	struct call *call = peer->call;
	struct passing_header passing = {each, arg, peer->is_upgrade};
	char ip[IP_TEXT_SIZE];
	struct str origin = str_print(call->ctx.arena, "%s %" STR_FMT " %" PRId64, ip_write(call->peer, ip),
				      STR_ARG(write_scheme(call)), clock_now_us() / SECOND);
	struct str proof = prove(peer->master_key, call, origin);
	struct str value =
		str_print(call->ctx.arena, "%" STR_FMT " %" STR_FMT, STR_ARG(origin), STR_ARG(proof));
	if (!proof.n || !value.p)
		return FAIL(NO_MEMORY);
	TRY(call_each_header(call, pass_header, &passing));
	return each(arg, str_from(peer_header), value);
}

struct sending {
	struct peer_call *peer;
	bool has_accept, has_type, has_agent;
};

static RESULT add_line(struct sending *s, struct str line)
{
	struct curl_slist *longer = line.p ? curl_slist_append(s->peer->header_list, line.p) : NULL;
	if (!longer)
		return FAIL(NO_MEMORY);
	s->peer->header_list = longer;
	return OK;
}

static RESULT add_header(void *arg, struct str name, struct str value)
{
	struct sending *s = arg;
	s->has_accept = s->has_accept || str_equal_nocase(name, STR("Accept"));
	s->has_type = s->has_type || str_equal_nocase(name, STR("Content-Type"));
	s->has_agent = s->has_agent || str_equal_nocase(name, STR("User-Agent"));
	return add_line(s, str_print(s->peer->call->ctx.arena,
				     value.n ? "%" STR_FMT ": %" STR_FMT : "%" STR_FMT ";%" STR_FMT,
				     STR_ARG(name), STR_ARG(value)));
}

static RESULT add_headers(struct sending *s)
{
	TRY(peer_each_header(s->peer, add_header, s));
	if (!s->has_accept)
		TRY(add_line(s, STR("Accept:")));
	if (!s->has_type)
		TRY(add_line(s, STR("Content-Type:")));
	if (!s->has_agent)
		TRY(add_line(s, STR("User-Agent:")));
	/* the writer refuses an upload before its body, or asks for it */
	return add_line(s, s->peer->upload ? STR("Expect: 100-continue") : STR("Expect:"));
}

/* ---- the answer ---- */

static size_t take_piece(char *bytes, size_t size, size_t count, void *arg)
{
	struct peer_call *peer = arg;
	peer->is_large = peer->is_large || (peer->may_stream && peer->content_length > STREAM_FROM);
	buf_add(&peer->body, bytes, size * count);
	return peer->body.failed ? 0 : size * count;
}

void peer_take_header(struct peer_call *peer, struct str line)
{
	static const char *const own[] = {"Connection", "Upgrade", "Transfer-Encoding",
					  "Keep-Alive", "Date",    NULL};
	struct arena *a = peer->arena;
	line = str_trim(line);
	size_t colon = str_find_char(line, ':', 0);
	struct str name = str_slice(line, 0, colon < line.n ? colon : 0);
	struct str value =
		str_copy(a, str_trim(str_slice(line, colon < line.n ? colon + 1 : line.n, line.n)));
	if (str_starts_with(line, STR("HTTP/"))) {
		peer->header_count = 0; /* an interim answer came before */
		peer->content_length = -1;
	} else if (str_equal_nocase(name, STR("Content-Length"))) {
		if (!result_is_ok(str_parse_int(value, &peer->content_length)))
			peer->content_length = -1;
	} else if (str_equal_nocase(name, STR("Content-Type")))
		peer->content_type = str_to_z(a, value);
	else if (str_equal_nocase(name, STR("x-amzn-RequestId")))
		peer->request_id = value;
	else if (name.n && !is_one_of(name, own) && peer->header_count < PEER_HEADERS_MAX)
		peer->headers[peer->header_count++] = (struct peer_header){str_to_z(a, name), value};
}

static size_t take_header(char *bytes, size_t size, size_t count, void *arg)
{
	peer_take_header(arg, (struct str){bytes, size * count});
	return size * count;
}

static int ask_whether_to_go_on(void *arg, curl_off_t all_down, curl_off_t down, curl_off_t all_up,
				curl_off_t up)
{
	const struct peer_call *peer = arg;
	(void) all_down, (void) down, (void) all_up, (void) up;
	return peer->goes_on(peer->self) ? 0 : 1;
}

void peer_set_connection(void *curl, const char *url, int64_t connect_ms)
{
	(void) curl_easy_setopt(curl, CURLOPT_URL, url);
	(void) curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	(void) curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1);
	(void) curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	(void) curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long) connect_ms);
	(void) curl_easy_setopt(curl, CURLOPT_PROXY, "");
}

static size_t read_upload(char *to, size_t size, size_t count, void *arg)
{
	const struct peer_call *peer = arg;
	ssize_t got = peer->upload->read(peer->self, to, size * count);
	return got < 0 ? CURL_READFUNC_ABORT : (size_t) got;
}

/* The writer's answer may take long after the last byte: it looks at the whole disk image. A client sends in time, or the
 * server ends its connection. */
static void set_upload(CURL *curl, const struct peer_call *peer)
{
	(void) curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
	(void) curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t) peer->upload->size);
	(void) curl_easy_setopt(curl, CURLOPT_READFUNCTION, read_upload);
	(void) curl_easy_setopt(curl, CURLOPT_READDATA, peer);
	(void) curl_easy_setopt(curl, CURLOPT_EXPECT_100_TIMEOUT_MS, (long) ANSWER_MS);
	(void) curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
	(void) curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long) UPLOAD_SILENCE_S);
}

static void set_body(CURL *curl, struct peer_call *peer)
{
	const struct call *call = peer->call;
	if (peer->upload) {
		set_upload(curl, peer);
	} else if (peer->may_stream) {
		(void) curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
		(void) curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long) ANSWER_SILENCE_S);
	} else {
		(void) curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long) ANSWER_MS);
	}
	if (!peer->upload && call->method != HTTP_GET && call->method != HTTP_HEAD) {
		(void) curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long) call->body.n);
		(void) curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call->body.n ? call->body.p : "");
	}
	if (call->method == HTTP_HEAD)
		(void) curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
	else
		(void) curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST,
					str_to_z(call->ctx.arena, call->method_name));
}

static void set_answer(CURL *curl, struct peer_call *peer)
{
	(void) curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_piece);
	(void) curl_easy_setopt(curl, CURLOPT_WRITEDATA, peer);
	(void) curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
	(void) curl_easy_setopt(curl, CURLOPT_HEADERDATA, peer);
	(void) curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	(void) curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, ask_whether_to_go_on);
	(void) curl_easy_setopt(curl, CURLOPT_XFERINFODATA, peer);
}

RESULT peer_open(struct peer_call *peer)
{
	struct sending s = {.peer = peer};
	struct call *call = peer->call;
	struct arena *a = call->ctx.arena;
	struct str target = str_print(a, call->query.n ? "%" STR_FMT "?%" STR_FMT : "%" STR_FMT "%" STR_FMT,
				      STR_ARG(call->path), STR_ARG(call->query));
	buf_init(&peer->body, ANSWER_CAP);
	TRY(add_headers(&s));
	CURL *curl = peer->curl = target.p ? curl_easy_init() : NULL;
	if (!curl)
		return FAIL(NO_MEMORY);
	peer_set_connection(curl, str_to_z(a, peer->address), CONNECT_MS);
	(void) curl_easy_setopt(curl, CURLOPT_REQUEST_TARGET, target.p);
	(void) curl_easy_setopt(curl, CURLOPT_HTTPHEADER, (struct curl_slist *) peer->header_list);
	set_body(curl, peer);
	set_answer(curl, peer);
	return OK;
}

static void close_all(void **multi, void **curl, void **header_list)
{
	if (*multi && *curl)
		(void) curl_multi_remove_handle(*multi, *curl);
	curl_easy_cleanup(*curl);
	(void) curl_multi_cleanup(*multi);
	curl_slist_free_all(*header_list);
	*multi = *curl = *header_list = NULL;
}

void peer_close(struct peer_call *peer)
{
	close_all(&peer->multi, &peer->curl, &peer->header_list);
}

/* Moves what can be moved now. False: the transfer has ended, with *ret_code. */
static bool turn(CURLM *multi, CURLcode *ret_code)
{
	int running = 0, left = 0;
	if (curl_multi_perform(multi, &running) != CURLM_OK) {
		*ret_code = CURLE_OUT_OF_MEMORY;
		return false;
	}
	const CURLMsg *said = running ? NULL : curl_multi_info_read(multi, &left);
	*ret_code = said ? said->data.result : CURLE_OK;
	return running > 0;
}

/* Until the end of the answer, or of the head of a large one. */
static CURLcode perform(struct peer_call *peer)
{
	CURLcode code = CURLE_OK;
	if (!peer->may_stream)
		return curl_easy_perform(peer->curl);
	peer->multi = curl_multi_init();
	if (!peer->multi || curl_multi_add_handle(peer->multi, peer->curl) != CURLM_OK)
		return CURLE_OUT_OF_MEMORY;
	while (turn(peer->multi, &code) && !peer->is_large)
		(void) curl_multi_poll(peer->multi, NULL, 0, LOOK_MS, NULL);
	return code;
}

RESULT peer_send(struct ctx *c, struct peer_call *peer)
{
	curl_off_t sent = 0;
	long status = 0, request_size = 0;
	CURLcode code = perform(peer);
	(void) curl_easy_getinfo(peer->curl, CURLINFO_REQUEST_SIZE, &request_size);
	(void) curl_easy_getinfo(peer->curl, CURLINFO_SIZE_UPLOAD_T, &sent);
	(void) curl_easy_getinfo(peer->curl, CURLINFO_RESPONSE_CODE, &status);
	peer->was_sent = request_size > 0 || sent > 0;
	peer->status = (int) status;
	return code == CURLE_OK && status >= 200 ? OK : ctx_fail(c, ERR_IO, "%s", curl_easy_strerror(code));
}

RESULT peer_ask(struct ctx *c, struct peer_call *peer)
{
	struct result r = peer_open(peer);
	r = result_is_ok(r) ? peer_send(c, peer) : ctx_no_memory(c);
	if (!peer->is_large || !result_is_ok(r))
		peer_close(peer);
	return r;
}

/* ---- a large answer ---- */

static size_t take_streamed(char *bytes, size_t size, size_t count, void *arg)
{
	struct peer_stream *s = arg;
	s->waits = !s->take(s->self, (struct str){bytes, size * count});
	return s->waits ? CURL_WRITEFUNC_PAUSE : size * count;
}

static int ask_whether_stream_goes_on(void *arg, curl_off_t all_down, curl_off_t down, curl_off_t all_up,
				      curl_off_t up)
{
	const struct peer_stream *s = arg;
	(void) all_down, (void) down, (void) all_up, (void) up;
	return s->goes_on(s->self) ? 0 : 1;
}

static size_t ignore_header(char *bytes, size_t size, size_t count, void *arg)
{
	(void) bytes, (void) arg;
	return size * count;
}

void peer_begin_stream(struct peer_call *peer, struct peer_stream *to)
{
	to->curl = peer->curl;
	to->multi = peer->multi;
	to->header_list = peer->header_list;
	peer->curl = peer->multi = peer->header_list = NULL;
	(void) curl_easy_setopt(to->curl, CURLOPT_WRITEFUNCTION, take_streamed);
	(void) curl_easy_setopt(to->curl, CURLOPT_WRITEDATA, to);
	(void) curl_easy_setopt(to->curl, CURLOPT_HEADERFUNCTION, ignore_header);
	(void) curl_easy_setopt(to->curl, CURLOPT_XFERINFOFUNCTION, ask_whether_stream_goes_on);
	(void) curl_easy_setopt(to->curl, CURLOPT_XFERINFODATA, to);
}

RESULT peer_stream(struct ctx *c, struct peer_stream *s, bool *ret_is_over)
{
	CURLcode code = CURLE_OK;
	*ret_is_over = false;
	if (s->waits) {
		s->waits = false;
		code = curl_easy_pause(s->curl, CURLPAUSE_CONT); /* may call take() */
	}
	while (code == CURLE_OK && !s->waits) {
		if (!turn(s->multi, &code)) {
			*ret_is_over = true;
			break;
		}
		if (!s->waits)
			(void) curl_multi_poll(s->multi, NULL, 0, LOOK_MS, NULL);
	}
	return code == CURLE_OK ? OK : ctx_fail(c, ERR_IO, "%s", curl_easy_strerror(code));
}

void peer_end_stream(struct peer_stream *s)
{
	close_all(&s->multi, &s->curl, &s->header_list);
}
