/* SPDX-License-Identifier: Apache-2.0
 * Formats of failures in each API; see golden_errors.h. They are implemented a second time, independent of
 * src/api, so that a changed format fails every case. */
#include "golden_errors.h"

#include <jansson.h>

#define REQUEST_ID "00000000-1111-4222-8333-444444444444"
#define XML_HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

enum { ERROR_CAP = 1 << 20 };

enum form {
	FORM_EC2,
	FORM_STS,
	FORM_IAM,
	FORM_ELB,
	FORM_CLASSIC,
	FORM_SCALING,
	FORM_IDENTITY,
	FORM_FAULT,
	FORM_NETWORK,
	FORM_IMAGE,
	FORM_PLACEMENT,
	FORM_LOAD_BALANCER,
	FORM_KEY_MANAGER,
	FORM_ALARMING,
	FORM_CLOUDSTACK,
	FORM_CLOUDWATCH,
	FORM_SCIM
};

/* ---- the line ---- */

static struct str finish(struct arena *a, struct buf *b)
{
	struct str text = str_copy(a, buf_str(b));
	buf_done(b);
	return text;
}

/* A line break in a message is "\n", a backslash "\\". */
static struct str on_one_line(struct arena *a, struct str message)
{
	struct buf b;
	buf_init(&b, ERROR_CAP);
	for (size_t k = 0; k < message.n; k++)
		if (message.p[k] == '\n')
			buf_add_str(&b, STR("\\n"));
		else if (message.p[k] == '\\')
			buf_add_str(&b, STR("\\\\"));
		else
			buf_add_char(&b, message.p[k]);
	return finish(a, &b);
}

static struct str on_its_lines(struct arena *a, struct str line)
{
	struct buf b;
	buf_init(&b, ERROR_CAP);
	for (size_t k = 0; k < line.n; k++)
		if (line.p[k] != '\\' || k + 1 == line.n)
			buf_add_char(&b, line.p[k]);
		else
			buf_add_char(&b, line.p[++k] == 'n' ? '\n' : line.p[k]);
	return finish(a, &b);
}

bool golden_error_read(struct arena *a, struct str line, struct golden_error *ret_error)
{
	int64_t status = 0;
	size_t colon = str_find_char(line, ':', 0);
	if (!str_starts_with(line, STR("=> ")) || line.n < 8 || colon >= line.n ||
	    !result_is_ok(str_parse_int(str_slice(line, 3, 6), &status)))
		return false;
	*ret_error = (struct golden_error){(int) status, str_slice(line, 7, colon),
					   on_its_lines(a, str_slice(line, colon + 2, line.n))};
	return true;
}

struct str golden_error_write(struct arena *a, const struct golden_error *error)
{
	return str_print(a, "=> %d %" STR_FMT ": %" STR_FMT, error->status, STR_ARG(error->word),
			 STR_ARG(on_one_line(a, error->message)));
}

/* ---- which form ---- */

static struct str target_of(const struct script *s)
{
	struct script_request request;
	return script_read_request(s, s->called, &request) ? request.path : STR_NONE;
}

static enum form form_of(const struct script *s, int status)
{
	static const struct {
		const char *path;
		enum form form;
	} services[] = {{"/compute", FORM_FAULT},           {"/volume", FORM_FAULT},
			{"/network", FORM_NETWORK},         {"/image", FORM_IMAGE},
			{"/placement", FORM_PLACEMENT},     {"/load-balancer", FORM_LOAD_BALANCER},
			{"/key-manager", FORM_KEY_MANAGER}, {"/alarming", FORM_ALARMING},
			{"/metric", FORM_KEY_MANAGER},      {"/", FORM_IDENTITY}};
	struct str path = target_of(s);
	if (str_starts_with(path, STR("/client/")))
		return FORM_CLOUDSTACK;
	if (str_starts_with(path, STR("/monitoring/")))
		return FORM_CLOUDWATCH;
	if (str_starts_with(path, STR("/scim/")))
		return FORM_SCIM;
	for (size_t k = 0; path.n && k < sizeof services / sizeof *services; k++)
		if (str_starts_with(path, str_from(services[k].path)))
			return status == 401 ? FORM_IDENTITY : services[k].form;
	return str_contains(s->called, STR("2011-06-15"))   ? FORM_STS
	       : str_contains(s->called, STR("2010-05-08")) ? FORM_IAM
	       : str_contains(s->called, STR("2015-12-01")) ? FORM_ELB
	       : str_contains(s->called, STR("2012-06-01")) ? FORM_CLASSIC
	       : str_contains(s->called, STR("2011-01-01")) ? FORM_SCALING
							    : FORM_EC2;
}

/* ---- envelopes ---- */

static struct str escape_xml(struct arena *a, struct str text)
{
	static const char *const words[256] = {
		['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['"'] = "&quot;"};
	struct buf b;
	buf_init(&b, ERROR_CAP);
	for (size_t k = 0; k < text.n; k++) {
		const char *word = words[(unsigned char) text.p[k]];
		buf_add_str(&b, word ? str_from(word) : str_slice(text, k, k + 1));
	}
	return finish(a, &b);
}

static struct str escape_json(struct arena *a, struct str text)
{
	struct buf b;
	buf_init(&b, ERROR_CAP);
	for (size_t k = 0; k < text.n; k++)
		if (text.p[k] == '\n') {
			buf_add_str(&b, STR("\\n"));
		} else {
			if (text.p[k] == '"' || text.p[k] == '\\')
				buf_add_char(&b, '\\');
			buf_add_char(&b, text.p[k]);
		}
	return finish(a, &b);
}

static struct str render_xml(struct arena *a, enum form form, const struct golden_error *e)
{
	struct str message = escape_xml(a, e->message);
	if (form == FORM_EC2)
		return str_print(a,
				 XML_HEAD "<Response><Errors><Error><Code>%" STR_FMT
					  "</Code><Message>%" STR_FMT
					  "</Message></Error></Errors><RequestID>" REQUEST_ID
					  "</RequestID></Response>",
				 STR_ARG(e->word), STR_ARG(message));
	return str_print(a,
			 XML_HEAD "<ErrorResponse xmlns=\"%s/\"><Error><Type>%s</Type><Code>%" STR_FMT
				  "</Code><Message>%" STR_FMT "</Message></Error><RequestId>" REQUEST_ID
				  "</RequestId></ErrorResponse>",
			 form == FORM_STS       ? "https://sts.amazonaws.com/doc/2011-06-15"
			 : form == FORM_ELB     ? "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01"
			 : form == FORM_CLASSIC ? "http://elasticloadbalancing.amazonaws.com/doc/2012-06-01"
			 : form == FORM_SCALING ? "http://autoscaling.amazonaws.com/doc/2011-01-01"
						: "https://iam.amazonaws.com/doc/2010-05-08",
			 e->status >= 500 ? "Receiver" : "Sender", STR_ARG(e->word), STR_ARG(message));
}

/* The command's name in lower case, from "command=listZones&…"; "error" if the command is unknown. */
static struct str render_cloudstack(struct arena *a, const struct script *s, const struct golden_error *e,
				    struct str message)
{
	static const char sign[] = "command=";
	struct str line = s->called, name = STR("error");
	const char *at = memmem(line.p, line.n, sign, sizeof sign - 1);
	if (at && e->status != 432 && e->status != 400) {
		size_t from = (size_t) (at - line.p) + sizeof sign - 1;
		name = str_slice(line, from, str_find_char(line, '&', from));
		name = str_lower(a, str_slice(name, 0, str_find_char(name, ' ', 0)));
	}
	return str_print(a,
			 "{\"%" STR_FMT
			 "response\":{\"uuidList\":[],\"errorcode\":%d,\"cserrorcode\":%" STR_FMT
			 ",\"errortext\":\"%" STR_FMT "\"}}",
			 STR_ARG(name), e->status, STR_ARG(e->word), STR_ARG(message));
}

/* The shape that the code of the query protocol has in CloudWatch's model. */
static const char *shape_of(struct str code)
{
	static const struct {
		const char *code, *shape;
	} rows[] = {{"InvalidParameterValue", "InvalidParameterValueException"},
		    {"InvalidParameterCombination", "InvalidParameterCombinationException"},
		    {"MissingParameter", "MissingRequiredParameterException"},
		    {"ValidationError", "ValidationException"},
		    {"InvalidAction", "UnknownOperationException"}};
	for (size_t k = 0; k < sizeof rows / sizeof *rows; k++)
		if (str_is(code, rows[k].code))
			return rows[k].shape;
	return "InvalidNextToken";
}

static struct str render_json(struct arena *a, const struct script *s, enum form form,
			      const struct golden_error *e)
{
	struct str message = escape_json(a, e->message);
	switch ((int) form) {
	case FORM_NETWORK:
		return str_print(a,
				 "{\"NeutronError\":{\"type\":\"%" STR_FMT "\",\"message\":\"%" STR_FMT
				 "\",\"detail\":\"\"}}",
				 STR_ARG(e->word), STR_ARG(message));
	case FORM_IMAGE:
		return str_print(a,
				 "{\"message\":\"%" STR_FMT "\",\"code\":\"%d %" STR_FMT
				 "\",\"title\":\"%" STR_FMT "\"}",
				 STR_ARG(message), e->status, STR_ARG(e->word), STR_ARG(e->word));
	case FORM_PLACEMENT:
		return str_print(a,
				 "{\"errors\":[{\"status\":%d,\"title\":\"%" STR_FMT
				 "\",\"detail\":\"%" STR_FMT "\",\"request_id\":\"req-" REQUEST_ID "\"}]}",
				 e->status, STR_ARG(e->word), STR_ARG(message));
	case FORM_LOAD_BALANCER:
		return str_print(a,
				 "{\"faultcode\":\"%" STR_FMT "\",\"faultstring\":\"%" STR_FMT
				 "\",\"debuginfo\":null}",
				 STR_ARG(e->word), STR_ARG(message));
	case FORM_ALARMING:
		return str_print(a,
				 "{\"error_message\":{\"faultcode\":\"%" STR_FMT
				 "\",\"faultstring\":\"%" STR_FMT "\",\"debuginfo\":null}}",
				 STR_ARG(e->word), STR_ARG(message));
	case FORM_KEY_MANAGER:
		return str_print(a,
				 "{\"code\":%d,\"title\":\"%" STR_FMT "\",\"description\":\"%" STR_FMT "\"}",
				 e->status, STR_ARG(e->word), STR_ARG(message));
	case FORM_CLOUDSTACK:
		return render_cloudstack(a, s, e, message);
	case FORM_CLOUDWATCH:
		return str_print(a,
				 "{\"__type\":\"com.amazonaws.cloudwatch#%s\",\"message\":\"%" STR_FMT "\"}",
				 shape_of(e->word), STR_ARG(message));
	case FORM_SCIM: /* "-": there is no scimType */
		return str_print(a,
				 "{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:Error\"],\"status\":"
				 "\"%d\"%s%" STR_FMT "%s,\"detail\":\"%" STR_FMT "\"}",
				 e->status, str_is(e->word, "-") ? "" : ",\"scimType\":\"",
				 STR_ARG(str_is(e->word, "-") ? STR_NONE : e->word),
				 str_is(e->word, "-") ? "" : "\"", STR_ARG(message));
	case FORM_FAULT:
		return str_print(a, "{\"%" STR_FMT "\":{\"code\":%d,\"message\":\"%" STR_FMT "\"}}",
				 STR_ARG(e->word), e->status, STR_ARG(message));
	default:
		return str_print(a,
				 "{\"error\":{\"code\":%d,\"message\":\"%" STR_FMT "\",\"title\":\"%" STR_FMT
				 "\"}}",
				 e->status, STR_ARG(message), STR_ARG(e->word));
	}
}

/* The services with microversions name the one that was asked for, or their oldest; CloudWatch the query protocol's code. */
static struct str render_headers(struct arena *a, const struct script *s, const struct golden_error *e)
{
	int status = e->status;
	static const struct {
		const char *path, *service, *oldest;
	} versioned[] = {{"/compute/v", "compute", "2.1"},
			 {"/volume/v", "volume", "3.0"},
			 {"/placement", "placement", "1.0"}};
	struct str path = target_of(s), headers = STR_NONE;
	if (form_of(s, status) == FORM_CLOUDWATCH)
		return str_print(a, "x-amzn-query-error: %" STR_FMT ";%s\n", STR_ARG(e->word),
				 status >= 500 ? "Receiver" : "Sender");
	for (size_t k = 0; k < sizeof versioned / sizeof *versioned; k++) {
		struct str service = str_from(versioned[k].service), asked = s->version;
		if (!str_starts_with(path, str_from(versioned[k].path)))
			continue;
		struct str version = str_starts_with(asked, service)
					     ? str_slice(asked, service.n + 1, asked.n)
					     : str_from(versioned[k].oldest);
		headers = str_print(a, "OpenStack-API-Version: %s %" STR_FMT "\n", versioned[k].service,
				    STR_ARG(version));
		headers =
			k == 0 ? str_print(a,
					   "%" STR_FMT "X-OpenStack-Nova-API-Version: %" STR_FMT
					   "\nVary: OpenStack-API-Version, X-OpenStack-Nova-API-Version\n",
					   STR_ARG(headers), STR_ARG(version))
			       : str_print(a, "%" STR_FMT "Vary: OpenStack-API-Version\n", STR_ARG(headers));
	}
	if (status == 401 && form_of(s, status) == FORM_SCIM)
		return STR("WWW-Authenticate: Bearer\n");
	if (status != 401 || form_of(s, status) == FORM_CLOUDSTACK)
		return headers;
	return str_print(
		a, "%" STR_FMT "WWW-Authenticate: Keystone uri=\"http://cloud.test:8773/identity/v3\"\n",
		STR_ARG(headers));
}

bool golden_error_render(struct arena *a, const struct script *s, const struct golden_error *error,
			 struct world_answer *ret_answer)
{
	enum form form = form_of(s, error->status);
	*ret_answer = (struct world_answer){.status = error->status, .is_json = form >= FORM_IDENTITY};
	ret_answer->body =
		form >= FORM_IDENTITY ? render_json(a, s, form, error) : render_xml(a, form, error);
	if (form >= FORM_IDENTITY)
		ret_answer->headers = render_headers(a, s, error);
	return error->status >= 400;
}

/* ---- and back ---- */

static struct str unescape_xml(struct arena *a, struct str text)
{
	static const struct {
		const char *word;
		char c;
	} words[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}};
	struct buf b;
	buf_init(&b, ERROR_CAP);
	for (size_t k = 0; k < text.n;) {
		size_t w = 0;
		while (w < 4 && !str_starts_with(str_slice(text, k, text.n), str_from(words[w].word)))
			w++;
		buf_add_char(&b, w < 4 ? words[w].c : text.p[k]);
		k += w < 4 ? strlen(words[w].word) : 1;
	}
	return finish(a, &b);
}

static const char *text_of(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

/* The number, unchanged. */
static struct str take_cloudstack_code(struct arena *a, const json_t *value)
{
	const json_t *inner = json_object_iter_value(json_object_iter((json_t *) value));
	return str_print(a, "%" JSON_INTEGER_FORMAT,
			 json_integer_value(json_object_get(inner, "cserrorcode")));
}

/* The code from "x-amzn-query-error: InvalidAction;Sender". */
static struct str take_cloudwatch_code(struct str headers)
{
	size_t from = strlen("x-amzn-query-error: ");
	return str_slice(headers, from, str_find_char(headers, ';', 0));
}

static void take_json(enum form form, json_t *value, const char **ret_word, const char **ret_message)
{
	const json_t *inner = value;
	const char *first = json_object_iter_key(json_object_iter(value));
	if (form == FORM_SCIM) {
		*ret_message = text_of(value, "detail");
		*ret_word = json_object_get(value, "scimType") ? text_of(value, "scimType") : "-";
		return;
	}
	if (form == FORM_ALARMING) {
		*ret_message = text_of(json_object_get(value, "error_message"), "faultstring");
		*ret_word = text_of(json_object_get(value, "error_message"), "faultcode");
		return;
	}
	if (form == FORM_LOAD_BALANCER) {
		*ret_message = text_of(value, "faultstring");
		*ret_word = text_of(value, "faultcode");
		return;
	}
	if (form == FORM_KEY_MANAGER) {
		*ret_message = text_of(value, "description");
		*ret_word = text_of(value, "title");
		return;
	}
	if (form == FORM_PLACEMENT)
		inner = json_array_get(json_object_get(value, "errors"), 0);
	else if (form != FORM_IMAGE && form != FORM_CLOUDWATCH)
		inner = json_object_get(value, first ? first : "");
	*ret_message = text_of(inner, form == FORM_PLACEMENT    ? "detail"
				      : form == FORM_CLOUDSTACK ? "errortext"
								: "message");
	*ret_word = form == FORM_FAULT ? first : text_of(inner, form == FORM_NETWORK ? "type" : "title");
}

bool golden_error_take(struct arena *a, const struct script *s, const struct world_answer *answer,
		       struct golden_error *ret_error)
{
	enum form form = form_of(s, answer->status);
	*ret_error = (struct golden_error){.status = answer->status};
	if (form >= FORM_IDENTITY) {
		const char *word = NULL, *message = NULL;
		json_t *value = json_loadb(answer->body.p, answer->body.n, 0, NULL);
		take_json(form, value, &word, &message);
		ret_error->word = form == FORM_CLOUDSTACK   ? take_cloudstack_code(a, value)
				  : form == FORM_CLOUDWATCH ? take_cloudwatch_code(answer->headers)
							    : str_copy(a, str_from(word));
		ret_error->message = str_copy(a, str_from(message));
		json_decref(value);
	} else {
		ret_error->word = world_element(answer->body, "Code");
		ret_error->message = unescape_xml(a, world_element(answer->body, "Message"));
	}
	struct world_answer again;
	return answer->status >= 400 && golden_error_render(a, s, ret_error, &again) &&
	       str_equal(again.body, answer->body) && str_equal(again.headers, answer->headers);
}
