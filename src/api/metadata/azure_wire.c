/* SPDX-License-Identifier: Apache-2.0
 * The WireServer: an agent in the guest fetches its goal state and certificates, and reports its status. The
 * goal's number changes with its content; the agent then reads everything again. The source address
 * identifies the guest, as on 169.254.169.254. Source: waagent 2.7 and cloud-init 22.4.
 */
#include <inttypes.h>

#include "api/core/park.h"
#include "api/metadata/azure.h"
#include "api/metadata/internal.h"
#include "base/crypto.h"
#include "base/crypto_issue.h"
#include "base/xml.h"
#include "engine/instance/azure_guest.h"
#include "model/azure_guest.h"
#include "model/instance.h"
#include "model/instance_extension.h"

#define BASE_URL "http://168.63.129.16"
#define XML_TYPE "text/xml; charset=utf-8"
#define LINE_SIZE 64 /* base64 characters per line, as in Azure */
enum { CERTIFICATE_TEXT_MAX = 8192 };

/* ---- answers ---- */

void azure_answer_text(struct call *call, int status, const char *content_type, struct str text)
{
	struct buf body;
	buf_init(&body, BUF_ANSWER_CAP);
	buf_add_str(&body, text);
	call_answer(call, status, content_type, &body);
}

void azure_answer_reported(struct call *call, struct result result)
{
	int status = result_is_ok(result) ? 200 : result.code == ERR_GONE ? 410 : 500;
	azure_answer_text(call, status, "text/plain", STR_NONE);
}

static void answer_nothing(struct call *call, int status)
{
	azure_answer_text(call, status, "text/plain", STR_NONE);
}

static void answer_xml(struct call *call, struct xml *x, struct buf *body)
{
	if (result_is_ok(xml_end(x))) {
		call_answer(call, 200, XML_TYPE, body);
		return;
	}
	buf_done(body);
	answer_nothing(call, 500);
}

static void begin_xml(struct xml *x, struct buf *body)
{
	buf_init(body, BUF_ANSWER_CAP);
	xml_begin(x, body);
}

/* Escapes an attribute's text. */
static struct str quote(struct arena *a, struct str text)
{
	struct buf b;
	buf_init(&b, BUF_ANSWER_CAP);
	for (size_t k = 0; k < text.n; k++) {
		const char *as = text.p[k] == '&'   ? "&amp;"
				 : text.p[k] == '<' ? "&lt;"
				 : text.p[k] == '"' ? "&quot;"
						    : NULL;
		if (as)
			buf_add_str(&b, str_from(as));
		else
			buf_add_char(&b, text.p[k]);
	}
	struct str quoted = str_copy(a, buf_str(&b));
	buf_done(&b);
	return quoted;
}

/* ---- the goal ---- */

static int64_t number_of(const struct imds_facts *s)
{
	return s->azure ? s->azure->incarnation : 1;
}

static struct str id_of(const struct imds_facts *s)
{
	return uuid_to_str(s->arena, s->instance->row.id);
}

static struct str role_of(const struct imds_facts *s)
{
	return str_print(s->arena, "%" STR_FMT "._%" STR_FMT, STR_ARG(id_of(s)), STR_ARG(s->azure_name));
}

static bool has_certificate(const struct imds_facts *s)
{
	return s->azure && s->azure->key.n && s->azure->certificate.n;
}

static void write_place(const struct imds_facts *s, struct xml *x, const char *name, const char *query)
{
	xml_text(x, name,
		 str_print(s->arena, BASE_URL "/machine/%" STR_FMT "/%" STR_FMT "?%s&incarnation=%" PRId64,
			   STR_ARG(id_of(s)), STR_ARG(role_of(s)), query, number_of(s)));
}

static void write_goal(const struct imds_facts *s, struct xml *x)
{
	xml_open(x, "GoalState");
	xml_z(x, "Version", "2012-11-30");
	xml_int(x, "Incarnation", number_of(s));
	xml_open(x, "Machine");
	xml_z(x, "ExpectedState", "Started");
	xml_z(x, "StopRolesDeadlineHint", "300000");
	xml_open(x, "LBProbePorts");
	xml_z(x, "Port", "16001");
	xml_close(x, "LBProbePorts");
	xml_z(x, "ExpectHealthReport", "FALSE");
	xml_close(x, "Machine");
	xml_open(x, "Container");
	xml_text(x, "ContainerId", id_of(s));
	xml_open(x, "RoleInstanceList");
	xml_open(x, "RoleInstance");
	xml_text(x, "InstanceId", role_of(s));
	xml_z(x, "State", "Started");
	xml_open(x, "Configuration");
	write_place(s, x, "HostingEnvironmentConfig", "comp=config&type=hostingEnvironmentConfig");
	write_place(s, x, "SharedConfig", "comp=config&type=sharedConfig");
	write_place(s, x, "ExtensionsConfig", "comp=config&type=extensionsConfig");
	if (has_certificate(s))
		write_place(s, x, "Certificates", "comp=certificates");
	xml_text(x, "ConfigName",
		 str_print(s->arena, "%" STR_FMT ".0.%" STR_FMT ".0._%" STR_FMT ".1.xml", STR_ARG(id_of(s)),
			   STR_ARG(id_of(s)), STR_ARG(s->azure_name)));
	xml_close(x, "Configuration");
	xml_close(x, "RoleInstance");
	xml_close(x, "RoleInstanceList");
	xml_close(x, "Container");
	xml_close(x, "GoalState");
}

static void write_versions(const struct imds_facts *s, struct xml *x)
{
	(void) s;
	xml_open(x, "Versions");
	xml_open(x, "Preferred");
	xml_z(x, "Version", "2015-04-05");
	xml_close(x, "Preferred");
	xml_open(x, "Supported");
	xml_z(x, "Version", "2015-04-05");
	xml_z(x, "Version", "2012-11-30");
	xml_close(x, "Supported");
	xml_close(x, "Versions");
}

/* Written by hand: agents read attributes, which the XML writer does not have. */
static void write_environment(const struct imds_facts *s, struct xml *x)
{
	struct str id = id_of(s), name = quote(s->arena, s->azure_name);
	buf_print(x->out,
		  "<HostingEnvironmentConfig version=\"1.0.0.0\" goalStateIncarnation=\"%" PRId64 "\">"
		  "<StoredCertificates/><Deployment name=\"%" STR_FMT "\" guid=\"{%" STR_FMT
		  "}\" incarnation=\"0\" isNonCancellableTopologyChangeEnabled=\"false\">"
		  "<Service name=\"IaaS\" guid=\"{%" STR_FMT "}\"/><ServiceInstance name=\"%" STR_FMT
		  ".0\" guid=\"{%" STR_FMT "}\"/></Deployment>"
		  "<Incarnation number=\"1\" instance=\"%" STR_FMT "\" guid=\"{%" STR_FMT "}\"/>"
		  "<Role guid=\"{%" STR_FMT "}\" name=\"%" STR_FMT "\" hostingEnvironmentVersion=\"1\" "
		  "software=\"\" softwareType=\"ApplicationPackage\" entryPoint=\"\" parameters=\"\" "
		  "settleTimeSeconds=\"10\"/></HostingEnvironmentConfig>",
		  number_of(s), STR_ARG(id), STR_ARG(id), STR_ARG(id), STR_ARG(id), STR_ARG(id),
		  STR_ARG(name), STR_ARG(id), STR_ARG(id), STR_ARG(name));
}

static void write_shared(const struct imds_facts *s, struct xml *x)
{
	struct str id = id_of(s), name = quote(s->arena, s->azure_name);
	buf_print(x->out,
		  "<SharedConfig version=\"1.0.0.0\" goalStateIncarnation=\"%" PRId64 "\">"
		  "<Deployment name=\"%" STR_FMT "\" guid=\"{%" STR_FMT "}\" incarnation=\"0\"/>"
		  "<Incarnation number=\"1\" instance=\"%" STR_FMT "\" guid=\"{%" STR_FMT "}\"/>"
		  "<Role guid=\"{%" STR_FMT "}\" name=\"%" STR_FMT "\"/></SharedConfig>",
		  number_of(s), STR_ARG(id), STR_ARG(id), STR_ARG(name), STR_ARG(id), STR_ARG(id),
		  STR_ARG(name));
}

/* ---- what the agent is to run ---- */

static void write_plugin(const struct imds_facts *s, struct xml *x, const struct instance_extension *e)
{
	const struct extension_program *p = engine_find_program(e->publisher, e->type);
	if (!p)
		return;
	struct str place = str_print(s->arena, BASE_URL "/dari/packages/%s.%" STR_FMT ".xml", p->publisher,
				     STR_ARG(e->type));
	buf_print(x->out,
		  "<Plugin name=\"%s.%" STR_FMT "\" version=\"%s\" location=\"%" STR_FMT
		  "\" failoverlocation=\"%" STR_FMT
		  "\" state=\"%s\" isJson=\"true\" useExactVersion=\"true\" runAsStartupTask=\"false\" "
		  "autoUpgrade=\"false\"/>",
		  p->publisher, STR_ARG(e->type), p->version, STR_ARG(place), STR_ARG(place),
		  e->is_leaving ? "uninstall" : "enabled");
}

/* Thumbprint "9C7A…", by which the agent finds the certificate's key. */
static struct str thumbprint_of(const struct imds_facts *s)
{
	uint8_t sum[20];
	char text[2 * sizeof sum + 1];
	crypto_sha1(s->azure->certificate, sum);
	for (size_t k = 0; k < sizeof sum; k++)
		(void) snprintf(text + 2 * k, 3, "%02X", sum[k]);
	return str_copy(s->arena, str_from(text));
}

/* Settings without a script are sent anyway; the program refuses them. */
static RESULT write_script(struct ctx *c, struct str settings, struct str *ret_json)
{
	struct result r = azure_write_settings(c->arena, settings, ret_json);
	if (r.code == ERR_INVALID)
		*ret_json = STR("{}");
	return r.code == ERR_INVALID ? OK : r;
}

/* Re-encrypts protected settings: opens them with the region's key and encrypts them to the machine's. */
static RESULT envelop(struct metadata *m, struct ctx *c, const struct imds_facts *s,
		      const struct instance_extension *e, struct str *ret_text)
{
	struct str plain, settings, der, owner = uuid_to_str(c->arena, e->account);
	*ret_text = STR_NONE;
	if (!e->protected_settings.n || !has_certificate(s) || !m->config.master_key)
		return OK;
	TRY(crypto_open(c, m->config.master_key, owner, e->protected_settings, &plain));
	TRY(write_script(c, plain, &settings));
	TRY(crypto_envelop(c, s->azure->certificate, CRYPTO_AES256_CBC, settings, &der));
	*ret_text = str_encode_base64(c->arena, der);
	return ret_text->p ? OK : ctx_no_memory(c);
}

static RESULT write_settings(struct metadata *m, struct ctx *c, const struct imds_facts *s, struct xml *x,
			     const struct instance_extension *e)
{
	const struct extension_program *p = engine_find_program(e->publisher, e->type);
	struct str public_settings = STR("{}"), protected_settings = STR_NONE;
	if (!p)
		return OK;
	TRY(envelop(m, c, s, e, &protected_settings));
	if (!protected_settings.n)
		TRY(write_script(c, e->settings, &public_settings));
	struct str secret = protected_settings.n
				    ? str_print(c->arena,
						",\"protectedSettings\":\"%" STR_FMT
						"\",\"protectedSettingsCertThumbprint\":\"%" STR_FMT "\"",
						STR_ARG(protected_settings), STR_ARG(thumbprint_of(s)))
				    : STR_NONE;
	buf_print(x->out,
		  "<Plugin name=\"%s.%" STR_FMT "\" version=\"%s\"><RuntimeSettings seqNo=\"%" PRId64
		  "\">{\"runtimeSettings\":[{\"handlerSettings\":{\"publicSettings\":%" STR_FMT "%" STR_FMT
		  "}}]}</RuntimeSettings></Plugin>",
		  p->publisher, STR_ARG(e->type), p->version, e->sequence, STR_ARG(public_settings),
		  STR_ARG(secret));
	return OK;
}

static RESULT write_extensions(struct metadata *m, struct ctx *c, const struct tables *t,
			       const struct imds_facts *s, struct xml *x)
{
	uuid instance = s->instance->row.id;
	const struct instance_extension *e = engine_first_extension(t, instance);
	bool has_some = e != NULL;
	buf_print(x->out,
		  "<Extensions version=\"1.0.0.0\" goalStateIncarnation=\"%" PRId64
		  "\"><GuestAgentExtension><GAFamilies/></GuestAgentExtension>",
		  number_of(s));
	if (has_some)
		buf_add_str(x->out, STR("<Plugins>"));
	for (; e; e = engine_next_extension(t, e))
		write_plugin(s, x, e);
	if (has_some)
		buf_add_str(x->out, STR("</Plugins><PluginSettings>"));
	for (e = engine_first_extension(t, instance); e; e = engine_next_extension(t, e))
		TRY(write_settings(m, c, s, x, e));
	if (has_some)
		buf_add_str(x->out, STR("</PluginSettings>"));
	buf_add_str(x->out, STR("<StatusUploadBlob statusBlobType=\"BlockBlob\">" BASE_URL
				"/dari/status</StatusUploadBlob></Extensions>"));
	return OK;
}

/* Reads the extensions in a new view, because that of the facts is closed. */
static void answer_extensions(struct metadata *m, struct call *call, const struct imds_facts *s)
{
	struct xml x;
	struct buf body;
	begin_xml(&x, &body);
	AUTO_VIEW view = {0};
	view_open(m->config.store, &view);
	struct result r = write_extensions(m, &call->ctx, view.tables, s, &x);
	view_end_read(&view);
	if (result_is_ok(r)) {
		answer_xml(call, &x, &body);
		return;
	}
	buf_done(&body);
	answer_nothing(call, 500);
}

/* ---- certificates ---- */

/* The agent sends its own certificate in a header, as base64 without PEM's lines. The answer is the key and certificate of the
 * virtual machine as PKCS #12, in a CMS envelope for the agent's certificate: whoever sees the traffic cannot read the key. The
 * agent names the cipher that it can open. */
static RESULT pack_certificates(struct metadata *m, struct call *call, const struct imds_facts *s,
				struct str *ret_text)
{
	struct ctx *c = &call->ctx;
	struct str to = STR_NONE, key, file, der, owner = uuid_to_str(c->arena, s->azure->account);
	struct str said = call_header(call, "x-ms-guest-agent-public-x509-cert");
	bool is_des = str_equal_nocase(call_header(call, "x-ms-cipher-name"), STR("DES_EDE3_CBC"));
	if (!said.n || said.n > CERTIFICATE_TEXT_MAX || !result_is_ok(str_decode_base64(c->arena, said, &to)))
		return FAIL(INVALID);
	TRY(crypto_open(c, m->config.master_key, owner, s->azure->key, &key));
	TRY(crypto_pack_transport(c, key, s->azure->certificate, &file));
	TRY(crypto_envelop(c, to, is_des ? CRYPTO_DES_EDE3_CBC : CRYPTO_AES128_CBC, file, &der));
	*ret_text = str_encode_base64(c->arena, der);
	return ret_text->p ? OK : ctx_no_memory(c);
}

static void answer_certificates(struct metadata *m, struct call *call, const struct imds_facts *s)
{
	struct str text = STR_NONE;
	struct xml x;
	struct buf body;
	if (!has_certificate(s) || !m->config.master_key) {
		answer_nothing(call, 404);
		return;
	}
	struct result r = pack_certificates(m, call, s, &text);
	if (!result_is_ok(r)) {
		answer_nothing(call, r.code == ERR_INVALID ? 400 : 500);
		return;
	}
	begin_xml(&x, &body);
	xml_open(&x, "CertificateFile");
	xml_z(&x, "Version", "2010-12-15");
	xml_int(&x, "Incarnation", number_of(s));
	xml_z(&x, "Format", "Pkcs7BlobWithPfxContents");
	xml_open(&x, "Data");
	for (size_t k = 0; k < text.n; k += LINE_SIZE) {
		buf_add_str(&body, str_slice(text, k, k + LINE_SIZE));
		buf_add_char(&body, '\n');
	}
	xml_close(&x, "Data");
	xml_close(&x, "CertificateFile");
	answer_xml(call, &x, &body);
}

/* ---- health ---- */

/* Text of the first <name> element; empty: none. Not a parser: the elements looked for never nest. */
static struct str find_element(struct str document, const char *name)
{
	size_t size = strlen(name);
	for (size_t k = 0; k + size + 1 < document.n; k++) {
		bool is_it = document.p[k] == '<' && document.p[k + size + 1] == '>' &&
			     memcmp(document.p + k + 1, name, size) == 0;
		if (!is_it)
			continue;
		size_t from = k + size + 2;
		return str_trim(str_slice(document, from, str_find_char(document, '<', from)));
	}
	return STR_NONE;
}

struct health_call {
	struct azure_health_report wish;
	struct api_change change;
};

static enum azure_guest_health health_of(struct str document)
{
	if (str_is(find_element(document, "State"), "Ready"))
		return AZURE_GUEST_HEALTH_READY;
	return str_is(find_element(document, "SubStatus"), "ProvisioningFailed")
		       ? AZURE_GUEST_HEALTH_FAILED
		       : AZURE_GUEST_HEALTH_NOT_READY;
}

static void take_health(struct metadata *m, struct call *call, const struct imds_facts *s)
{
	struct str text = str_cut(find_element(call->body, "Description"), AZURE_TEXT_MAX);
	struct health_call *h = arena_new_object(call->ctx.arena, struct health_call);
	if (!h || !find_element(call->body, "State").n || !str_is_xml_text(text)) {
		answer_nothing(call, h ? 400 : 500);
		return;
	}
	h->wish = (struct azure_health_report){
		.instance = s->instance->row.id, .health = health_of(call->body), .text = text};
	if (s->azure && s->azure->health == h->wish.health && str_equal(s->azure->health_text, text)) {
		answer_nothing(call, 200);
		return;
	}
	h->change = (struct api_change){
		.action = "metadata:health", .run = engine_report_azure_health_run, .wish = &h->wish};
	api_commit(call, m->config.store, &h->change, azure_answer_reported);
}

/* ---- our programs ---- */

static void answer_package(struct call *call, struct str name)
{
	const char *type = NULL;
	struct buf body;
	buf_init(&body, BUF_ANSWER_CAP);
	if (result_is_ok(azure_write_package(name, BASE_URL, &body, &type))) {
		call_answer(call, 200, type, &body);
		return;
	}
	buf_done(&body);
	answer_nothing(call, 404);
}

static bool has_prefix(struct str *path, struct str prefix)
{
	bool has_it = str_starts_with(*path, prefix);
	if (has_it)
		*path = str_slice(*path, prefix.n, path->n);
	return has_it;
}

/* Serves our own programs, which agents fetch through the plugin. */
static bool answer_artifact(struct call *call)
{
	struct str place = call_header(call, "x-ms-artifact-location");
	if (!str_is(call->path, "/extensionArtifact"))
		return false;
	if (has_prefix(&place, STR(BASE_URL "/dari/packages/")))
		answer_package(call, place);
	else
		answer_nothing(call, 404);
	return true;
}

/* ---- the whole ---- */

typedef void writer(const struct imds_facts *s, struct xml *x);

static void answer_document(struct call *call, const struct imds_facts *s, writer *write)
{
	struct xml x;
	struct buf body;
	begin_xml(&x, &body);
	write(s, &x);
	answer_xml(call, &x, &body);
}

static void answer_get(struct metadata *m, struct call *call, const struct imds_facts *s, struct str comp,
		       struct str type)
{
	struct str path = call->path;
	if (has_prefix(&path, STR("/dari/packages/")))
		answer_package(call, path);
	else if (answer_artifact(call))
		return;
	else if (str_equal_nocase(comp, STR("versions")))
		answer_document(call, s, write_versions);
	else if (!str_starts_with(call->path, STR("/machine")))
		answer_nothing(call, 404);
	else if (str_equal_nocase(comp, STR("goalstate")))
		answer_document(call, s, write_goal);
	else if (str_equal_nocase(comp, STR("certificates")))
		answer_certificates(m, call, s);
	else if (!str_equal_nocase(comp, STR("config")))
		answer_nothing(call, 400);
	else if (str_equal_nocase(type, STR("hostingEnvironmentConfig")))
		answer_document(call, s, write_environment);
	else if (str_equal_nocase(type, STR("sharedConfig")))
		answer_document(call, s, write_shared);
	else if (str_equal_nocase(type, STR("extensionsConfig")))
		answer_extensions(m, call, s);
	else
		answer_nothing(call, 404);
}

/* Discards telemetry; acknowledges role properties with 202. */
static void answer_post(struct metadata *m, struct call *call, const struct imds_facts *s, struct str comp)
{
	bool is_machine = str_starts_with(call->path, STR("/machine"));
	if (is_machine && str_equal_nocase(comp, STR("health")))
		take_health(m, call, s);
	else if (is_machine && str_equal_nocase(comp, STR("roleProperties")))
		answer_nothing(call, 202);
	else if (is_machine && str_equal_nocase(comp, STR("telemetrydata")))
		answer_nothing(call, 200);
	else if (str_is(call->path, "/HealthService"))
		answer_nothing(call, 200);
	else
		answer_nothing(call, 404);
}

void azure_answer_wire(struct metadata *m, struct call *call, const struct imds_facts *s)
{
	struct pairs query = {0};
	call->action = "wire";
	if (!result_is_ok(azure_read_query(call, &query))) {
		answer_nothing(call, 400);
		return;
	}
	if (azure_answer_host(m, call, s))
		return;
	struct str comp = pairs_find(&query, "comp");
	if (call->method == HTTP_GET || call->method == HTTP_HEAD)
		answer_get(m, call, s, comp, pairs_find(&query, "type"));
	else if (call->method == HTTP_POST)
		answer_post(m, call, s, comp);
	else
		answer_nothing(call, 405);
}
