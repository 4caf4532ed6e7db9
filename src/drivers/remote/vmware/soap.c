/* SPDX-License-Identifier: Apache-2.0
 * Calls of vSphere's web services: see soap.h. Source: vSphere Web Services SDK programming guide 8.0. */
#include "drivers/remote/vmware/soap.h"

#include "base/crypto.h"
#include "drivers/remote/draft.h"

enum { REQUEST_MAX = 256 * 1024, PROPERTY_TEXT_MAX = 4096, MARK_SIZE = 8 };
#define COOKIE "vmware_soap_session="

/* ---- writing ---- */

void vmware_begin(struct vmware_call *q, struct ctx *c, const char *method, const char *type, struct str id)
{
	*q = (struct vmware_call){.c = c, .method = method};
	buf_init(&q->text, REQUEST_MAX);
	xml_begin(&q->xml, &q->text);
	buf_add_str(&q->text, STR("<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\" "
				  "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
				  "xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\"><e:Body>"));
	buf_print(&q->text, "<%s xmlns=\"urn:vim25\">", method);
	vmware_ref(q, "_this", type, id);
}

void vmware_open(struct vmware_call *q, const char *name, const char *xsi_type)
{
	if (xsi_type)
		buf_print(&q->text, "<%s xsi:type=\"%s\">", name, xsi_type);
	else
		buf_print(&q->text, "<%s>", name);
}

void vmware_close(struct vmware_call *q, const char *name)
{
	buf_print(&q->text, "</%s>", name);
}

void vmware_text(struct vmware_call *q, const char *name, struct str text)
{
	xml_text(&q->xml, name, text);
}

void vmware_ref(struct vmware_call *q, const char *name, const char *type, struct str id)
{
	buf_print(&q->text, "<%s type=\"%s\">", name, type);
	xml_escape(&q->text, id);
	buf_print(&q->text, "</%s>", name);
}

/* ---- sending ---- */

void vmware_answer_release(struct vmware_answer *answer)
{
	buf_done(&answer->body);
}

/* The API's URL: the endpoint's path, or /sdk. */
static RESULT url_of(struct ctx *c, const struct remote *r, struct str *ret_url)
{
	struct remote_url url;
	TRY(remote_parse_url(c, r->endpoint, &url));
	bool has_path = url.path.n > 1;
	*ret_url = str_print(c->arena, "%" STR_FMT "://%" STR_FMT "%" STR_FMT, STR_ARG(url.scheme),
			     STR_ARG(url.host), STR_ARG(has_path ? url.path : STR("/sdk")));
	return ret_url->p ? OK : ctx_no_memory(c);
}

/* A page that is no fault of the API says nothing about credentials and objects. */
static RESULT judge_page(struct ctx *c, int status)
{
	enum err err = remote_err_of_status(status);
	bool is_load = err == ERR_AGAIN || err == ERR_THROTTLED;
	return ctx_fail(c, status >= 400 && is_load ? err : ERR_IO,
			"The server answers with status %d and no fault of the API.", status);
}

static RESULT judge(struct ctx *c, struct remote *r, const struct remote_answer *http,
		    struct vmware_answer *ret_answer)
{
	if (http->status == 200)
		return OK;
	if (!result_is_ok(vmware_read_fault(c, buf_str(&ret_answer->body), &ret_answer->fault))) {
		ctx_clear_problem(c);
		return judge_page(c, http->status);
	}
	/* A view lives as long as its session. */
	bool is_lost = str_is(ret_answer->fault.name, "NotAuthenticated") ||
		       (str_is(ret_answer->fault.name, "ManagedObjectNotFound") &&
			str_equal(ret_answer->fault.object, vmware_id(r, VIM_VIEW)));
	if (is_lost)
		remote_session_close(remote_session_peek(r));
	return vmware_fail(c, &ret_answer->fault,
			   is_lost ? ERR_AGAIN : vmware_err_of_fault(ret_answer->fault.name));
}

static RESULT finish(struct vmware_call *q, struct str *ret_body)
{
	buf_print(&q->text, "</%s></e:Body></e:Envelope>", q->method);
	*ret_body = buf_str(&q->text);
	return q->text.failed ? ctx_no_memory(q->c) : OK;
}

static RESULT exchange(struct vmware_call *q, struct remote *r, struct vmware_answer *ret_answer)
{
	struct ctx *c = q->c;
	const struct remote_session *session = remote_session_peek(r);
	struct remote_answer http = {0};
	struct remote_request request = {.only_reads = q->only_reads,
					 .headers = {"Content-Type: text/xml; charset=utf-8", "Expect:",
						     session->version >= VIM_VERSION_67
							     ? "SOAPAction: urn:vim25/6.7"
							     : "SOAPAction: urn:vim25/6.5"},
					 .wanted_header = "Set-Cookie",
					 .wanted_start = COOKIE};
	TRY(url_of(c, r, &request.url));
	TRY(finish(q, &request.body));
	struct str token = q->cookie.n ? q->cookie : str_from(session->token);
	if (token.n)
		request.headers[3] = str_to_z(
			c->arena, str_print(c->arena, "Cookie: " COOKIE "%" STR_FMT, STR_ARG(token)));
	struct result result = remote_send(c, r, &request, &http);
	ret_answer->body = http.body;
	struct str cookie = str_slice(http.header, sizeof COOKIE - 1, http.header.n);
	ret_answer->header = str_slice(cookie, 0, str_find_char(cookie, ';', 0));
	return result_is_ok(result) ? judge(c, r, &http, ret_answer) : result;
}

RESULT vmware_send(struct vmware_call *q, struct remote *r, struct vmware_answer *ret_answer)
{
	*ret_answer = (struct vmware_answer){0};
	struct result result = exchange(q, r, ret_answer);
	if (q->text.p)
		crypto_wipe(q->text.p, q->text.size); /* Login has the password */
	buf_done(&q->text);
	return result;
}

/* ---- answers ---- */

RESULT vmware_ask_texts(struct vmware_call *q, struct remote *r, const struct vmware_texts *texts)
{
	AUTO_VIM_ANSWER answer = {0};
	TRY(vmware_send(q, r, &answer));
	return vmware_read_texts(q->c, buf_str(&answer.body), q->method, texts);
}

RESULT vmware_ask_id(struct vmware_call *q, struct remote *r, struct str *ret_id)
{
	static const char *const paths[] = {"returnval"};
	TRY(vmware_ask_texts(q, r, &(struct vmware_texts){paths, ret_id, 1}));
	return ret_id->n <= REMOTE_SESSION_ID_MAX ? OK : remote_fail_answer(q->c, "an id is too long");
}

/* A session that has ended also shows in properties that are left out. */
static RESULT read_objects(const struct vmware_call *q, struct remote *r, const struct vmware_answer *answer,
			   const struct vmware_visitor *visitor, struct vmware_page *ret_page)
{
	struct result result =
		vmware_read_objects(q->c, buf_str(&answer->body), q->method, visitor, ret_page);
	if (ret_page->is_signed_out)
		remote_session_close(remote_session_peek(r));
	return result;
}

RESULT vmware_ask_objects(struct vmware_call *q, struct remote *r, const struct vmware_visitor *visitor,
			  struct vmware_page *ret_page)
{
	AUTO_VIM_ANSWER answer = {0};
	q->only_reads = true;
	TRY(vmware_send(q, r, &answer));
	return read_objects(q, r, &answer, visitor, ret_page);
}

static void add_properties(struct vmware_call *q, const char *type, const char *const *properties)
{
	vmware_open(q, "propSet", NULL);
	vmware_text(q, "type", str_from(type));
	for (; *properties; properties++)
		vmware_text(q, "pathSet", str_from(*properties));
	vmware_close(q, "propSet");
}

RESULT vmware_get_object(struct ctx *c, struct remote *r, const struct vmware_get *get,
			 const struct vmware_visitor *visitor)
{
	struct vmware_call q;
	struct vmware_page page;
	vmware_begin(&q, c, "RetrievePropertiesEx", "PropertyCollector", vmware_id(r, VIM_COLLECTOR));
	vmware_open(&q, "specSet", NULL);
	add_properties(&q, get->type, get->properties);
	vmware_open(&q, "objectSet", NULL);
	vmware_ref(&q, "obj", get->type, get->id);
	vmware_close(&q, "objectSet");
	vmware_close(&q, "specSet");
	vmware_open(&q, "options", NULL);
	vmware_close(&q, "options");
	AUTO_VIM_ANSWER answer = {0};
	q.only_reads = true;
	struct result result = vmware_send(&q, r, &answer);
	if (result.code == ERR_NOT_FOUND && !str_equal(answer.fault.object, get->id)) {
		ctx_clear_problem(c);
		return ctx_fail(c, ERR_IO, "The server lacks an object of its own: %" STR_FMT ".",
				STR_ARG(answer.fault.object));
	}
	TRY(result);
	TRY(read_objects(&q, r, &answer, visitor, &page));
	return page.objects == 1 ? OK : remote_fail_answer(c, "it is not about one object");
}

struct picking {
	struct ctx *c;
	const struct vmware_get *get;
	struct str *texts;
};

static RESULT begin_pick(void *self, struct str type, struct str ref)
{
	const struct picking *p = self;
	(void) type;
	return str_equal(ref, p->get->id) ? OK : remote_fail_answer(p->c, "it is about another object");
}

static RESULT pick(void *self, struct str property, struct str below, struct str text)
{
	const struct picking *p = self;
	for (size_t k = 0; !below.n && p->get->properties[k]; k++)
		if (str_is(property, p->get->properties[k]) && text.n && str_is_line(text))
			p->texts[k] = str_copy(p->c->arena, str_cut(text, PROPERTY_TEXT_MAX));
	return OK;
}

static RESULT end_pick(void *self)
{
	(void) self;
	return OK;
}

RESULT vmware_get_texts(struct ctx *c, struct remote *r, const struct vmware_get *get, struct str *ret_texts)
{
	struct picking p = {c, get, ret_texts};
	for (size_t k = 0; get->properties[k]; k++)
		ret_texts[k] = STR_NONE;
	return vmware_get_object(c, r, get, &(struct vmware_visitor){&p, begin_pick, NULL, pick, end_pick});
}

/* ---- listings ---- */

/* A short text that differs between sessions: tokens of pages belong to one. */
static struct str mark_of(struct ctx *c, const struct remote *r)
{
	uint8_t digest[SHA256_SIZE];
	crypto_sha256(vmware_id(r, VIM_KEY), digest);
	return str_encode_hex(c->arena, digest, MARK_SIZE);
}

/* The token in the cursor; empty: it is of a session that has ended, and the listing begins anew. Machines that are seen twice
 * are counted once. */
static struct str token_of(struct str cursor, struct str mark)
{
	bool is_ours = str_starts_with(cursor, mark) && cursor.n > mark.n && cursor.p[mark.n] == ':';
	return is_ours ? str_slice(cursor, mark.n + 1, cursor.n) : STR_NONE;
}

static void write_listing(struct vmware_call *q, const struct remote *r, const struct vmware_listing *listing)
{
	vmware_open(q, "specSet", NULL);
	add_properties(q, listing->type, listing->properties);
	vmware_open(q, "objectSet", NULL);
	vmware_ref(q, "obj", "ContainerView", vmware_id(r, VIM_VIEW));
	vmware_text(q, "skip", STR("true"));
	vmware_open(q, "selectSet", "TraversalSpec");
	vmware_text(q, "type", STR("ContainerView"));
	vmware_text(q, "path", STR("view"));
	vmware_text(q, "skip", STR("false"));
	vmware_close(q, "selectSet");
	vmware_close(q, "objectSet");
	vmware_close(q, "specSet");
	vmware_open(q, "options", NULL);
	xml_int(&q->xml, "maxObjects", listing->page_size);
	vmware_close(q, "options");
}

RESULT vmware_list_objects(struct ctx *c, struct remote *r, const struct vmware_listing *listing,
			   struct str cursor, const struct vmware_visitor *visitor,
			   struct vmware_page *ret_page)
{
	struct vmware_call q;
	struct str mark = mark_of(c, r), token = token_of(cursor, mark);
	const char *method = token.n ? "ContinueRetrievePropertiesEx" : "RetrievePropertiesEx";
	vmware_begin(&q, c, method, "PropertyCollector", vmware_id(r, VIM_COLLECTOR));
	if (token.n)
		vmware_text(&q, "token", token);
	else
		write_listing(&q, r, listing);
	struct result result = vmware_ask_objects(&q, r, visitor, ret_page);
	if (result.code == ERR_INVALID && token.n) {
		ctx_clear_problem(c);
		vmware_sign_out(c, r); /* the listing begins anew in another session */
		return ctx_fail(c, ERR_AGAIN, "The server no longer knows the page's token.");
	}
	TRY(result);
	if (ret_page->token.n)
		ret_page->token = str_print(c->arena, "%" STR_FMT ":%" STR_FMT, STR_ARG(mark),
					    STR_ARG(ret_page->token));
	return OK;
}
