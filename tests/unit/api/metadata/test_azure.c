/* SPDX-License-Identifier: Apache-2.0
 * Azure's services for guests: the requests of cloud-init and waagent in their order, the guests' reports,
 * extensions and their settings, and that other guests cannot read them. */
#include "fixture.h"

#include <jansson.h>

#include "base/crypto.h"
#include "base/crypto_issue.h"
#include "engine/instance/azure_guest.h"
#include "store/account.h"
#include "store/azure_guest.h"
#include "store/domain.h"
#include "store/iam_role.h"
#include "store/instance.h"
#include "store/instance_event.h"
#include "store/instance_extension.h"
#include "store/instance_profile.h"
#include "store/profile_association.h"

#define IMDS "/metadata/instance?api-version=2021-08-01"
#define TRUE_HEADER "Metadata: true\r\n"

static void become_azure(struct instance *i)
{
	i->personality = INSTANCE_PERSONALITY_AZURE;
	i->name = STR("vm one");
	i->public_key = STR("ssh-ed25519 AAAAC3Nza comment");
	i->wanted_power = INSTANCE_WANTED_POWER_ON;
	i->seen_power = INSTANCE_SEEN_POWER_ON;
}

static int setup(void **state)
{
	(void) fixture_setup_web(state);
	fixture_edit_instance(*state, ALPHA, become_azure);
	return 0;
}

static struct reply get(struct fixture *f, const char *path)
{
	return guest_ask(f, ROUTER_A, "127.0.1.10", "GET", path, TRUE_HEADER);
}

static struct reply wire(struct fixture *f, const char *method, const char *path, const char *body)
{
	return guest_ask_wire(f, "127.0.1.10", method, path, "", body);
}

static json_t *read_json(struct reply r)
{
	json_t *document = json_loadb(r.body.p, r.body.n, 0, NULL);
	assert_int_equal(r.status, 200);
	assert_non_null(document);
	return document;
}

static void assert_has(struct reply r, const char *words)
{
	if (r.status == 200 && str_contains(r.body, str_from(words)))
		return;
	print_error("%d \"%" STR_FMT "\" has no \"%s\"\n", r.status, STR_ARG(r.body), words);
	fail();
}

/* ---- /metadata/instance ---- */

/* Leaf values in the form of format=text. */
static void test_leaves(void **state)
{
	static const struct {
		const char *path, *text;
	} leaves[] = {
		{"", "compute/\nnetwork/"},
		{"/compute/location", "uswest2"},
		{"/compute/osType", "Linux"},
		{"/compute/vmSize", "t3.micro"},
		{"/compute/zone", "1"},
		{"/compute/resourceGroupName", "dari-default"},
		{"/compute/provider", "Microsoft.Compute"},
		{"/compute/osProfile/adminUsername", "azureuser"},
		{"/compute/osProfile/computerName", "vm-one"},
		{"/compute/osProfile/disablePasswordAuthentication", "true"},
		{"/compute/publicKeys/0/keyData", "ssh-ed25519 AAAAC3Nza comment"},
		{"/compute/publicKeys/0/path", "/home/azureuser/.ssh/authorized_keys"},
		{"/compute/userData", "IyEvYmluL3NoCmVjaG8g/wo="},
		{"/Compute/tags", "Name:alpha;has space:hidden;team+a:b:blue"},
		{"/compute/tagsList/0/value", "alpha"},
		{"/compute/storageProfile/dataDisks/0/lun", "0"},
		{"/network/interface/0/macAddress", "020000000001"},
		{"/network/interface/0/ipv4/ipAddress/0/privateIpAddress", "127.0.1.10"},
		{"/network/interface/0/ipv4/ipAddress/0/publicIpAddress", "203.0.113.7"},
		{"/network/interface/0/ipv4/ipAddress/1/publicIpAddress", "203.0.113.8"},
		{"/network/interface/0/ipv4/subnet/0/prefix", "24"},
		{"/network/interface/1/ipv4/ipAddress/0/privateIpAddress", "127.0.1.20"},
		{"/network/interface", "0/\n1/"},
	};
	struct fixture *f = *state;
	for (size_t k = 0; k < sizeof leaves / sizeof leaves[0]; k++) {
		struct str path = str_print(
			f->arena, "/metadata/instance%s?api-version=2021-08-01&format=text", leaves[k].path);
		struct reply r = get(f, path.p);
		if (r.status != 200 || !str_is(r.body, leaves[k].text)) {
			print_error("%s: %d \"%" STR_FMT "\"\n", leaves[k].path, r.status, STR_ARG(r.body));
			fail();
		}
	}
}

static void test_document(void **state)
{
	struct fixture *f = *state;
	char id[UUID_TEXT_SIZE];
	json_t *document = read_json(get(f, IMDS "&extended=true"));
	const json_t *compute = json_object_get(document, "compute");
	assert_string_equal(json_string_value(json_object_get(compute, "vmId")),
			    uuid_write(id_of(KIND_INSTANCE, ALPHA + 1), id));
	const json_t *extended = json_object_get(json_object_get(document, "extended"), "compute");
	assert_string_equal(json_string_value(json_object_get(extended, "ppsType")), "None");
	json_decref(document);
	document = read_json(get(f, "/metadata/instance/compute?api-version=2018-02-01"));
	assert_string_equal(json_string_value(json_object_get(document, "azEnvironment")), "AzureStackCloud");
	json_decref(document);
	assert_has(get(f, "/metadata/versions"), "{\"apiVersions\":[\"2017-03-01\",");
}

static void test_refusals(void **state)
{
	struct fixture *f = *state;
	struct reply r = guest_ask(f, ROUTER_A, "127.0.1.10", "GET", IMDS, "");
	assert_int_equal(r.status, 400);
	r = guest_ask(f, ROUTER_A, "127.0.1.10", "GET", IMDS, TRUE_HEADER "X-Forwarded-For: 10.0.0.1\r\n");
	assert_int_equal(r.status, 400);
	r = get(f, "/metadata/instance");
	assert_int_equal(r.status, 400);
	assert_true(str_contains(r.body, STR("api-version was not specified")));
	assert_true(str_contains(r.body, STR("\"newest-versions\":[\"2021-12-13\",\"2021-11-15\"")));
	r = get(f, "/metadata/instance?api-version=2099-01-01");
	assert_int_equal(r.status, 400);
	assert_true(str_contains(r.body, STR("newest-versions")));
	assert_int_equal(get(f, "/metadata/instance/compute/name?api-version=2021-08-01").status, 400);
	assert_int_equal(get(f, "/metadata/instance/nothing?api-version=2021-08-01").status, 404);
	assert_int_equal(get(f, "/metadata/nothing?api-version=2021-08-01").status, 404);
	assert_int_equal(get(f, IMDS "&format=xml").status, 400);
	assert_int_equal(
		guest_ask(f, ROUTER_A, "127.0.1.10", "POST", IMDS, TRUE_HEADER "Content-Length: 0\r\n")
			.status,
		405);
	/* another guest has none of it, and finds what it had */
	assert_int_equal(guest_ask(f, ROUTER_B, "127.0.1.10", "GET", IMDS, TRUE_HEADER).status, 404);
	assert_int_equal(guest_ask_wire(f, "127.0.1.12", "GET", "/?comp=versions", "", "").status, 404);
	assert_int_equal(guest_ask_wire(f, "127.0.1.99", "GET", "/?comp=versions", "", "").status, 404);
	assert_has(get(f, "/latest/meta-data/mac"), "02:00:00:00:00:01");
}

static void require_tokens(struct instance *i)
{
	i->metadata_tokens_required = true;
}

/* Azure's metadata must not bypass an instance's requirement of IMDSv2 tokens. */
static void test_tokens_required(void **state)
{
	struct fixture *f = *state;
	fixture_edit_instance(f, ALPHA, require_tokens);
	assert_int_equal(get(f, IMDS).status, 401);
}

static RESULT put_profile(struct op *op, void *arg)
{
	static const struct str keys[] = {{"ssh-rsa AAAA one", 16}};
	static const struct str paths[] = {{"/home/kim/.ssh/authorized_keys", 30}};
	struct ref ref = ref_by_id(KIND_INSTANCE, id_of(KIND_INSTANCE, ALPHA + 1));
	struct azure_profile_wish wish = {.instance = ref,
					  .computer_name = STR("web1"),
					  .admin_username = STR("kim"),
					  .keys = {keys, 1},
					  .key_paths = {paths, 1},
					  .allows_password = true};
	(void) arg;
	return engine_set_azure_profile(op, &wish);
}

static void test_profile(void **state)
{
	struct fixture *f = *state;
	assert_ok(fixture_commit(f, put_profile, NULL));
	struct reply r = get(f, IMDS);
	assert_has(r, "\"osProfile\":{\"adminUsername\":\"kim\",\"computerName\":\"web1\","
		      "\"disablePasswordAuthentication\":\"false\"}");
	assert_has(r, "\"publicKeys\":[{\"keyData\":\"ssh-rsa AAAA one\","
		      "\"path\":\"/home/kim/.ssh/authorized_keys\"}]");
}

/* ---- the provisioning disc ---- */

static uint8_t disc_key[MASTER_KEY_SIZE] = {1};

static RESULT seal_password(struct op *op, void *arg)
{
	struct instance i = *instance_find(op->head, id_of(KIND_INSTANCE, ALPHA + 1));
	(void) arg;
	i.user_data = STR("some data");
	TRY(crypto_seal(op->ctx, disc_key, uuid_to_str(op->ctx->arena, i.account), STR("a<b&\"c"),
			&i.admin_password));
	return instance_put(op, &i);
}

static RESULT put_windows_profile(struct op *op, void *arg)
{
	struct ref ref = ref_by_id(KIND_INSTANCE, id_of(KIND_INSTANCE, ALPHA + 1));
	struct azure_profile_wish wish = {.instance = ref,
					  .computer_name = STR("web1"),
					  .admin_username = str_from(arg),
					  .time_zone = STR("Korea Standard Time"),
					  .manual_updates = true,
					  .takes_winrm = true};
	return engine_set_azure_profile(op, &wish);
}

static struct compute_files disc_of(struct fixture *f)
{
	struct compute_files files = {0};
	AUTO_VIEW view = {0};
	view_open(f->store, &view);
	assert_ok(metadata_write_drive(disc_key, &f->c, &view, id_of(KIND_INSTANCE, ALPHA + 1), &files));
	return files;
}

static void assert_on_disc(const struct compute_files *files, size_t number, const char *path,
			   const char *text)
{
	assert_true(number < files->count);
	assert_true(str_is(files->at[number].path, path));
	if (!str_is(files->at[number].bytes, text))
		fail_msg("%.*s", (int) files->at[number].bytes.n, files->at[number].bytes.p);
}

#define XML_HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define TAG "E6DA6616-8EC4-48E0-BE93-58CE6ACE3CFB.tag"
#define OVF(type, inner)                                                                                     \
	XML_HEAD "<Environment xmlns=\"http://schemas.dmtf.org/ovf/environment/1\" "                         \
		 "xmlns:wa=\"http://schemas.microsoft.com/windowsazure\"><wa:ProvisioningSection>"           \
		 "<wa:Version>1.0</wa:Version><" type                                                        \
		 "ProvisioningConfigurationSet xmlns=\"http://schemas.microsoft.com/windowsazure\">"         \
		 "<ConfigurationSetType>" type "ProvisioningConfiguration</ConfigurationSetType>" inner      \
		 "</" type "ProvisioningConfigurationSet></wa:ProvisioningSection>"                          \
		 "<wa:PlatformSettingsSection><wa:Version>1.0</wa:Version>"                                  \
		 "<PlatformSettings xmlns=\"http://schemas.microsoft.com/windowsazure\">"                    \
		 "<ProvisionGuestAgent>true</ProvisionGuestAgent></PlatformSettings>"                        \
		 "</wa:PlatformSettingsSection></Environment>"
#define COMPONENT                                                                                            \
	"<component name=\"Microsoft-Windows-Shell-Setup\" processorArchitecture=\"amd64\" "                 \
	"publicKeyToken=\"31bf3856ad364e35\" language=\"neutral\" versionScope=\"nonSxS\">"
#define UNATTEND(name, zone, accounts)                                                                       \
	XML_HEAD "<unattend xmlns=\"urn:schemas-microsoft-com:unattend\" "                                   \
		 "xmlns:wcm=\"http://schemas.microsoft.com/WMIConfig/2002/State\">"                          \
		 "<settings pass=\"specialize\">" COMPONENT "<ComputerName>" name                            \
		 "</ComputerName></component></settings><settings pass=\"oobeSystem\">" COMPONENT            \
		 "<OOBE><HideEULAPage>true</HideEULAPage>"                                                   \
		 "<HideOnlineAccountScreens>true</HideOnlineAccountScreens>"                                 \
		 "<HideWirelessSetupInOOBE>true</HideWirelessSetupInOOBE>"                                   \
		 "<ProtectYourPC>3</ProtectYourPC></OOBE>" zone accounts                                     \
		 "</component></settings></unattend>"

/* cloud-init has its keys from the metadata service, and its password from here alone. */
static void test_linux_disc(void **state)
{
	struct fixture *f = *state;
	assert_ok(fixture_commit(f, seal_password, NULL));
	assert_ok(fixture_commit(f, put_profile, NULL));
	struct compute_files files = disc_of(f);
	assert_int_equal(files.count, 2);
	assert_true(str_is(files.label, "rd_rdfe_dari"));
	assert_on_disc(&files, 0, "ovf-env.xml",
		       OVF("Linux",
			   "<HostName>web1</HostName><UserName>kim</UserName>"
			   "<UserPassword>a&lt;b&amp;&quot;c</UserPassword>"
			   "<DisableSshPasswordAuthentication>false</DisableSshPasswordAuthentication>"
			   "<CustomData>c29tZSBkYXRh</CustomData>"));
	assert_on_disc(&files, 1, TAG, TAG);
}

static void become_windows(struct instance *i)
{
	i->platform = INSTANCE_PLATFORM_WINDOWS;
}

static void test_windows_disc(void **state)
{
	struct fixture *f = *state;
	static char user[] = "kim", administrator[] = "administrator";
	fixture_edit_instance(f, ALPHA, become_windows);
	assert_ok(fixture_commit(f, seal_password, NULL));
	assert_ok(fixture_commit(f, put_windows_profile, user));
	struct compute_files files = disc_of(f);
	assert_int_equal(files.count, 4);
	assert_on_disc(&files, 0, "ovf-env.xml",
		       OVF("Windows", "<ComputerName>web1</ComputerName><AdminUsername>kim</AdminUsername>"
				      "<AdminPassword>a&lt;b&amp;&quot;c</AdminPassword>"
				      "<ResetPasswordOnFirstLogon>false</ResetPasswordOnFirstLogon>"
				      "<EnableAutomaticUpdates>false</EnableAutomaticUpdates>"
				      "<TimeZone>Korea Standard Time</TimeZone><WinRM><Listeners><Listener>"
				      "<Protocol>Http</Protocol></Listener></Listeners></WinRM>"
				      "<CustomData>c29tZSBkYXRh</CustomData>"));
	assert_on_disc(&files, 1, TAG, TAG);
	assert_on_disc(&files, 2, "Unattend.xml",
		       UNATTEND("web1", "<TimeZone>Korea Standard Time</TimeZone>",
				"<UserAccounts><LocalAccounts><LocalAccount wcm:action=\"add\"><Password>"
				"<Value>a&lt;b&amp;&quot;c</Value><PlainText>true</PlainText></Password>"
				"<Group>Administrators</Group><Name>kim</Name></LocalAccount></"
				"LocalAccounts></UserAccounts>"));
	assert_on_disc(&files, 3, "CustomData.bin", "some data");
	assert_ok(fixture_commit(f, put_windows_profile, administrator));
	files = disc_of(f);
	assert_true(str_contains(files.at[2].bytes, STR("<UserAccounts><AdministratorPassword><Value>")));
}

/* An instance of another API's launch has neither user nor password. Its name is cut to Windows' limit. */
static void test_bare_windows_disc(void **state)
{
	struct fixture *f = *state;
	fixture_edit_instance(f, ALPHA, become_windows);
	struct compute_files files = disc_of(f);
	assert_true(str_contains(files.at[0].bytes,
				 STR("<ComputerName>vm-one</ComputerName><AdminUsername>azureuser"
				     "</AdminUsername><AdminPassword></AdminPassword>")));
	assert_on_disc(&files, 2, "Unattend.xml", UNATTEND("vm-one", "", ""));
}

/* ---- events ---- */

static void test_events(void **state)
{
	struct fixture *f = *state;
	char id[UUID_TEXT_SIZE];
	clock_set_us(INT64_C(1548000000) * SECOND);
	uuid event = id_of(KIND_INSTANCE_EVENT, 1);
	json_t *document = read_json(get(f, "/metadata/scheduledevents?api-version=2020-07-01"));
	const json_t *item = json_array_get(json_object_get(document, "Events"), 0);
	assert_string_equal(json_string_value(json_object_get(item, "EventId")), uuid_write(event, id));
	assert_string_equal(json_string_value(json_object_get(item, "EventType")), "Reboot");
	assert_string_equal(json_string_value(json_object_get(item, "EventStatus")), "Scheduled");
	assert_string_equal(json_string_value(json_object_get(item, "NotBefore")),
			    "Mon, 21 Jan 2019 09:00:43 GMT");
	json_decref(document);
	struct str body = str_print(f->arena, "{\"StartRequests\": [{\"EventId\": \"%s\"}]}", id);
	struct str headers = str_print(f->arena, TRUE_HEADER "Content-Length: %zu\r\n\r\n%" STR_FMT, body.n,
				       STR_ARG(body));
	struct reply r = guest_ask(f, ROUTER_A, "127.0.1.10", "POST",
				   "/metadata/scheduledevents?api-version=2020-07-01", headers.p);
	assert_int_equal(r.status, 200);
	AUTO_VIEW view = {0};
	view_open(f->store, &view);
	assert_true(instance_event_find(view.tables, event)->not_before_us == clock_now_us());
	view_end_read(&view);
	r = guest_ask(f, ROUTER_A, "127.0.1.10", "POST", "/metadata/scheduledevents?api-version=2020-07-01",
		      TRUE_HEADER "Content-Length: 2\r\n\r\n{}");
	assert_int_equal(r.status, 400);
	clock_set_us(0);
}

/* ---- attested documents ---- */

static void test_attested(void **state)
{
	struct fixture *f = *state;
	json_t *document =
		read_json(get(f, "/metadata/attested/document?api-version=2020-09-01&nonce=1234567890"));
	struct str der = STR_NONE;
	assert_string_equal(json_string_value(json_object_get(document, "encoding")), "pkcs7");
	assert_ok(str_decode_base64(
		f->arena, str_from(json_string_value(json_object_get(document, "signature"))), &der));
	assert_true(str_contains(der, STR("\"nonce\":\"1234567890\"")));
	assert_true(str_contains(der, STR("\"vmId\":\"")));
	json_decref(document);
	assert_int_equal(
		get(f, "/metadata/attested/document?api-version=2020-09-01&nonce=12345678901").status, 400);
}

static RESULT put_role(struct op *op, void *arg)
{
	static const char trust[] = "{\"Statement\": {\"Effect\": \"Allow\", \"Principal\": {\"Service\": "
				    "\"ec2.amazonaws.com\"}, \"Action\": \"sts:AssumeRole\"}}";
	const struct iam_role role = {.row.id = id_of(KIND_IAM_ROLE, 1),
				      .account = id_of(KIND_ACCOUNT, 1),
				      .name = STR("web"),
				      .path = STR("/"),
				      .trust = str_from(trust)};
	const struct instance_profile profile = {.row.id = id_of(KIND_INSTANCE_PROFILE, 1),
						 .account = id_of(KIND_ACCOUNT, 1),
						 .name = STR("web"),
						 .path = STR("/"),
						 .iam_role = role.row.id};
	const struct profile_association association = {.row.id = id_of(KIND_PROFILE_ASSOCIATION, 1),
							.account = id_of(KIND_ACCOUNT, 1),
							.instance = id_of(KIND_INSTANCE, ALPHA + 1),
							.instance_profile = profile.row.id};
	const struct domain domain = {
		.row.id = id_of(KIND_DOMAIN, 1), .name = STR("Default"), .enabled = true};
	struct account account = *account_find(op->head, id_of(KIND_ACCOUNT, 1));
	account.enabled = true;
	account.domain = domain.row.id;
	(void) arg;
	TRY(domain_put(op, &domain));
	TRY(account_put(op, &account));
	TRY(iam_role_put(op, &role));
	TRY(instance_profile_put(op, &profile));
	return profile_association_put(op, &association);
}

static RESULT forget_role(struct op *op, void *arg)
{
	(void) arg;
	TRY(instance_profile_forget(op, id_of(KIND_INSTANCE_PROFILE, 1)));
	return iam_role_forget(op, id_of(KIND_IAM_ROLE, 1));
}

#define TOKEN "/metadata/identity/oauth2/token?api-version=2018-02-01"
#define RESOURCE "&resource=https%3A%2F%2Fcloud.example.com%2F"

static void test_identity(void **state)
{
	struct fixture *f = *state;
	struct reply r = get(f, TOKEN RESOURCE);
	assert_int_equal(r.status, 400);
	assert_str(r.body, "{\"error\":\"invalid_request\",\"error_description\":\"Identity not found\"}");
	assert_ok(fixture_commit(f, put_role, NULL));
	assert_int_equal(get(f, TOKEN).status, 400);
	assert_int_equal(get(f, TOKEN RESOURCE "&client_id=someone").status, 400);
	json_t *document = read_json(get(f, TOKEN RESOURCE));
	struct str token = str_from(json_string_value(json_object_get(document, "access_token")));
	struct bearer bearer = {0};
	struct identity *who = NULL;
	assert_string_equal(json_string_value(json_object_get(document, "token_type")), "Bearer");
	assert_string_equal(json_string_value(json_object_get(document, "resource")),
			    "https://cloud.example.com/");
	assert_true(atoi(json_string_value(json_object_get(document, "expires_in"))) > 5 * 3600);
	assert_ok(bearer_check(f->bearers, &f->c, token, &bearer));
	assert_ok(bearer_weigh(f->bearers, &f->c, &bearer, UUID_NONE, &who));
	assert_true(uuid_equal(who->iam_role, id_of(KIND_IAM_ROLE, 1)));
	assert_true(uuid_equal(who->account, id_of(KIND_ACCOUNT, 1)));
	assert_err(bearer_weigh(f->bearers, &f->c, &bearer, id_of(KIND_IMAGE, 1), &who), UNAUTHENTICATED);
	assert_ok(fixture_commit(f, forget_role, NULL)); /* takes effect at once */
	assert_err(bearer_weigh(f->bearers, &f->c, &bearer, UUID_NONE, &who), UNAUTHENTICATED);
	json_decref(document);
}

/* ---- the WireServer ---- */

static struct str url_in(struct fixture *f, struct reply r, const char *element)
{
	struct str open = str_print(f->arena, "<%s>http://168.63.129.16", element);
	for (size_t k = 0; k + open.n < r.body.n; k++)
		if (str_starts_with(str_slice(r.body, k, r.body.n), open)) {
			size_t end = str_find_char(r.body, '<', k + open.n);
			struct str url = str_slice(r.body, k + open.n, end);
			struct str rest = url, part, whole = STR_NONE;
			while (str_split_next(&rest, '&', &part)) { /* "&amp;" */
				part = str_starts_with(part, STR("amp;")) ? str_slice(part, 4, part.n) : part;
				whole = str_print(f->arena, "%" STR_FMT "%s%" STR_FMT, STR_ARG(whole),
						  whole.n ? "&" : "", STR_ARG(part));
			}
			return whole;
		}
	return STR_NONE;
}

/* The first requests of waagent at boot. */
static void test_boot(void **state)
{
	struct fixture *f = *state;
	assert_has(wire(f, "GET", "/?comp=versions", ""), "<Version>2012-11-30</Version>");
	struct reply goal = wire(f, "GET", "/machine/?comp=goalstate", "");
	assert_has(goal, "<Incarnation>1</Incarnation>");
	assert_has(goal, "<ExpectedState>Started</ExpectedState>");
	assert_false(str_contains(goal.body, STR("<Certificates>")));
	assert_has(wire(f, "GET", url_in(f, goal, "HostingEnvironmentConfig").p, ""),
		   "<Incarnation number=\"1\"");
	assert_has(wire(f, "GET", url_in(f, goal, "SharedConfig").p, ""), "<SharedConfig ");
	assert_has(wire(f, "GET", url_in(f, goal, "ExtensionsConfig").p, ""),
		   "<StatusUploadBlob statusBlobType=\"BlockBlob\">");
	assert_int_equal(wire(f, "GET", "/vmSettings", "").status, 404);
	assert_has(wire(f, "GET", "/versions", ""), "2015-09-01");
	assert_int_equal(wire(f, "GET", "/health", "").status, 200);
	assert_int_equal(wire(f, "PUT", "/vmAgentLog", "zip").status, 200);
	assert_int_equal(wire(f, "POST", "/machine?comp=telemetrydata", "<x/>").status, 200);
	assert_int_equal(wire(f, "POST", "/machine?comp=roleProperties", "<x/>").status, 202);
	assert_int_equal(wire(f, "POST", "/HealthService", "{}").status, 200);
	assert_int_equal(wire(f, "DELETE", "/machine", "").status, 405);
	assert_int_equal(wire(f, "GET", "/machine?comp=nothing", "").status, 400);
	assert_int_equal(wire(f, "GET", "/elsewhere", "").status, 404);
	assert_int_equal(wire(f, "GET", "/machine?comp=certificates", "").status, 404);
}

/* A copy of the guest's reported status. */
static struct azure_guest guest_of(struct fixture *f)
{
	AUTO_VIEW view = {0};
	view_open(f->store, &view);
	const struct azure_guest *g = engine_find_azure_guest(view.tables, id_of(KIND_INSTANCE, ALPHA + 1));
	struct azure_guest copy = g ? *g : (struct azure_guest){0};
	copy.health_text = str_copy(f->arena, copy.health_text);
	copy.agent_version = str_copy(f->arena, copy.agent_version);
	copy.os_name = str_copy(f->arena, copy.os_name);
	return copy;
}

#define HEALTH(state, more)                                                                                  \
	"<?xml version=\"1.0\"?><Health><GoalStateIncarnation>1</GoalStateIncarnation><Container>"           \
	"<ContainerId>c</ContainerId><RoleInstanceList><Role><InstanceId>i</"                                \
	"InstanceId><Health><State>" state "</State>" more                                                   \
	"</Health></Role></RoleInstanceList></Container></Health>"
#define HEALTH_PATH "/machine?comp=health"

static void test_health(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(
		wire(f, "POST", HEALTH_PATH,
		     HEALTH("NotReady", "<Details><SubStatus>Provisioning</SubStatus><Description>Starting"
					"</Description></Details>"))
			.status,
		200);
	assert_int_equal(guest_of(f).health, AZURE_GUEST_HEALTH_NOT_READY);
	assert_str(guest_of(f).health_text, "Starting");
	assert_int_equal(wire(f, "POST", HEALTH_PATH, HEALTH("Ready", "")).status, 200);
	assert_int_equal(guest_of(f).health, AZURE_GUEST_HEALTH_READY);
	int64_t at_us = guest_of(f).health_us;
	assert_int_equal(wire(f, "POST", HEALTH_PATH, HEALTH("Ready", "")).status, 200);
	assert_true(guest_of(f).health_us == at_us); /* no news */
	assert_int_equal(wire(f, "POST", HEALTH_PATH,
			      HEALTH("NotReady", "<Details><SubStatus>ProvisioningFailed</SubStatus>"
						 "<Description>no key</Description></Details>"))
				 .status,
			 200);
	assert_int_equal(guest_of(f).health, AZURE_GUEST_HEALTH_FAILED);
	assert_int_equal(wire(f, "POST", HEALTH_PATH, "no document").status, 400);
}

/* A long description is truncated, and not within a character. */
static void test_long_health(void **state)
{
	struct fixture *f = *state;
	char text[AZURE_TEXT_MAX + 4] = "";
	for (size_t n = 0; n + 3 < sizeof text; n += 3)
		memcpy(text + n, "가", 3);
	struct str document = str_print(
		f->arena, HEALTH("NotReady", "<Details><Description>%s</Description></Details>"), text);
	assert_int_equal(wire(f, "POST", HEALTH_PATH, str_to_z(f->arena, document)).status, 200);
	assert_int_equal(guest_of(f).health_text.n, AZURE_TEXT_MAX / 3 * 3);
	assert_true(str_is_utf8(guest_of(f).health_text));
}

/* ---- extensions ---- */

static const char said[] =
	"{\"script\": [\"echo $1 $b\"], \"parameters\": [{\"name\": \"b\", \"value\": \"it's\"}]}";
static struct extension_wish script = {.name = {"run", 3},
				       .publisher = {"dari", 4},
				       .type = {"runcommand", 10},
				       .version = {"1.0", 3},
				       .auto_upgrade = true,
				       .settings = {said, sizeof said - 1}};

static RESULT set_script(struct op *op, void *arg)
{
	struct extension_wish *w = arg;
	w->instance = ref_by_id(KIND_INSTANCE, id_of(KIND_INSTANCE, ALPHA + 1));
	return engine_set_extension(op, w);
}

static RESULT delete_script(struct op *op, void *arg)
{
	struct extension_target w = {.instance = ref_by_id(KIND_INSTANCE, id_of(KIND_INSTANCE, ALPHA + 1)),
				     .name = STR("RUN")};
	(void) arg;
	return engine_delete_extension(op, &w);
}

/* A copy of it; no id: it is not there. */
static struct instance_extension extension_of(struct fixture *f)
{
	AUTO_VIEW view = {0};
	view_open(f->store, &view);
	const struct instance_extension *e =
		engine_find_extension(view.tables, id_of(KIND_INSTANCE, ALPHA + 1), STR("Run"));
	struct instance_extension copy = e ? *e : (struct instance_extension){0};
	copy.message = str_copy(f->arena, copy.message);
	return copy;
}

static struct str config_of(struct fixture *f)
{
	struct reply goal = wire(f, "GET", "/machine/?comp=goalstate", "");
	struct reply r = wire(f, "GET", url_in(f, goal, "ExtensionsConfig").p, "");
	assert_int_equal(r.status, 200);
	return r.body;
}

/* An agent's status, wrapped for the plugin. */
static int report(struct fixture *f, const char *handlers)
{
	struct str status = str_print(
		f->arena,
		"{\"version\": \"1.1\", \"aggregateStatus\": {\"guestAgentStatus\": {\"version\": "
		"\"2.7.3.0\", "
		"\"status\": \"Ready\"}, \"handlerAggregateStatus\": [%s]}, \"guestOSInfo\": {\"osName\": "
		"\"debian\", \"osVersion\": \"12.1\"}}",
		handlers);
	struct str body =
		str_print(f->arena, "{\"requestUri\": \"x\", \"headers\": [], \"content\": \"%" STR_FMT "\"}",
			  STR_ARG(str_encode_base64(f->arena, status)));
	return wire(f, "PUT", "/status", body.p).status;
}

#define HANDLER(sequence, state)                                                                             \
	"{\"handlerName\": \"Dari.RunCommand\", \"handlerVersion\": \"1.0.0\", \"status\": \"Ready\", "      \
	"\"runtimeSettingsStatus\": {\"sequenceNumber\": " sequence ", \"settingsStatus\": {\"status\": "    \
	"{\"status\": \"" state "\", \"code\": 0, \"formattedMessage\": {\"message\": \"done\"}}}}}"

static void test_extension(void **state)
{
	struct fixture *f = *state;
	assert_ok(fixture_commit(f, set_script, &script));
	struct str config = config_of(f);
	assert_true(str_contains(config, STR("<Plugin name=\"Dari.RunCommand\" version=\"1.0.0\"")));
	assert_true(str_contains(config, STR("seqNo=\"0\"")));
	/* "echo $1 $b\n" and "export b='it'\''s'\nset -- 'it'\''s'\n" */
	assert_true(str_contains(config, STR("\"script64\":\"ZWNobyAkMSAkYgo=\"")));
	assert_true(
		str_contains(config, STR("\"args64\":\"ZXhwb3J0IGI9J2l0J1wnJ3MnCnNldCAtLSAnaXQnXCcncycK\"")));
	assert_has(wire(f, "GET", "/machine/?comp=goalstate", ""), "<Incarnation>2</Incarnation>");
	assert_has(wire(f, "GET", "/dari/packages/Dari.RunCommand.xml", ""),
		   "<Uri>http://168.63.129.16/dari/packages/Dari.RunCommand.zip</Uri>");
	assert_has(wire(f, "GET", "/dari/packages/Dari.RunCommand.zip", ""), "HandlerManifest.json");
	assert_has(guest_ask_wire(f, "127.0.1.10", "GET", "/extensionArtifact",
				  "x-ms-artifact-location: "
				  "http://168.63.129.16/dari/packages/Dari.RunCommand.xml\r\n",
				  ""),
		   "PluginVersionManifest");
	assert_int_equal(wire(f, "GET", "/dari/packages/Other.Thing.zip", "").status, 404);

	assert_int_equal(report(f, HANDLER("0", "transitioning")), 200);
	assert_int_equal(extension_of(f).status, INSTANCE_EXTENSION_STATUS_TRANSITIONING);
	struct instance_extension e = extension_of(f);
	assert_false(engine_extension_has_ended(&e));
	assert_int_equal(report(f, HANDLER("0", "success")), 200);
	e = extension_of(f);
	assert_true(engine_extension_has_ended(&e));
	assert_str(e.message, "done");
	assert_str(guest_of(f).agent_version, "2.7.3.0");
	assert_str(guest_of(f).os_name, "debian");

	/* identical settings change nothing; new settings increase the sequence number, and a report of the
	 * old one does not end them */
	assert_ok(fixture_commit(f, set_script, &script));
	assert_int_equal(extension_of(f).sequence, 0);
	struct extension_wish other = script;
	other.settings = STR("{\"script\": \"true\"}");
	assert_ok(fixture_commit(f, set_script, &other));
	assert_int_equal(report(f, HANDLER("0", "success")), 200);
	e = extension_of(f);
	assert_int_equal(e.sequence, 1);
	assert_false(engine_extension_has_ended(&e));

	other.settings = STR("{\"what\": 1}"); /* which the goal bears, too */
	assert_ok(fixture_commit(f, set_script, &other));
	assert_true(str_contains(config_of(f), STR("\"publicSettings\":{}")));

	/* it goes when its guest has removed it */
	assert_ok(fixture_commit(f, delete_script, NULL));
	assert_true(str_contains(config_of(f), STR("state=\"uninstall\"")));
	assert_int_equal(report(f, HANDLER("0", "success")), 200);
	assert_false(uuid_is_none(extension_of(f).row.id));
	assert_int_equal(report(f, ""), 200);
	assert_true(uuid_is_none(extension_of(f).row.id));
}

static void test_bad_reports(void **state)
{
	static const char *const bad[] = {"",
					  "no JSON",
					  "{}",
					  "[]",
					  "{\"content\": 7}",
					  "{\"content\": \"!\"}",
					  "{\"content\": \"e30=\"}",
					  "{\"content\": \"bm9uZQ==\"}"};
	struct fixture *f = *state;
	for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++)
		assert_int_equal(wire(f, "PUT", "/status", bad[k]).status, 400);
	assert_int_equal(
		wire(f, "PUT", "/dari/status", "{\"aggregateStatus\": {\"guestAgentStatus\": {}}}").status,
		201);
	assert_int_equal(report(f, "7, {}, {\"handlerName\": 1}, {\"handlerName\": \"X.Y\", "
				   "\"runtimeSettingsStatus\": {\"settingsStatus\": {\"status\": {}}}}"),
			 200);
}

static void test_refused_extensions(void **state)
{
	struct fixture *f = *state;
	struct extension_wish w = script;
	w.type = STR("CustomScript");
	assert_err(fixture_commit(f, set_script, &w), NOT_FOUND);
	w = script;
	w.name = STR_NONE;
	assert_err(fixture_commit(f, set_script, &w), INVALID);
	assert_ok(fixture_commit(f, set_script, &script));
	w = script;
	w.name = STR("another");
	assert_err(fixture_commit(f, set_script, &w), EXISTS);
}

/* ---- protected settings ---- */

static void test_protected(void **state)
{
	struct fixture *f = *state;
	struct ctx *c = &f->c;
	struct str owner = uuid_to_str(f->arena, id_of(KIND_ACCOUNT, 1)), key, agent_key, agent;
	struct extension_wish w = script;
	w.settings = STR("{}");
	assert_ok(crypto_make_transport(c, STR("test"), HOUR, &key, &w.certificate));
	assert_ok(crypto_seal(c, fixture_master_key, owner, key, &w.key));
	assert_ok(crypto_seal(c, fixture_master_key, owner, STR("{\"script\": \"echo secret\"}"),
			      &w.protected_settings));
	assert_ok(fixture_commit(f, set_script, &w));
	struct str config = config_of(f);
	assert_true(str_contains(config, STR("\"protectedSettings\":\"MII")));
	assert_true(str_contains(config, STR("\"protectedSettingsCertThumbprint\":\"")));
	assert_false(str_contains(config, STR("ZWNobyBzZWNyZXQK")));
	struct reply goal = wire(f, "GET", "/machine/?comp=goalstate", "");
	struct str path = url_in(f, goal, "Certificates");
	assert_true(path.n > 0);
	assert_ok(crypto_make_transport(c, STR("LinuxTransport"), HOUR, &agent_key, &agent));
	struct str headers = str_print(f->arena,
				       "x-ms-cipher-name: DES_EDE3_CBC\r\n"
				       "x-ms-guest-agent-public-x509-cert: %" STR_FMT "\r\n",
				       STR_ARG(str_encode_base64(f->arena, agent)));
	struct reply r = guest_ask_wire(f, "127.0.1.10", "GET", path.p, headers.p, "");
	assert_has(r, "<Format>Pkcs7BlobWithPfxContents</Format><Data>MII");
	r = guest_ask_wire(f, "127.0.1.10", "GET", path.p, "x-ms-guest-agent-public-x509-cert: AAAA\r\n", "");
	assert_int_equal(r.status, 400);
	assert_int_equal(guest_ask_wire(f, "127.0.1.10", "GET", path.p, "", "").status, 400);
}

#define azure_test(function) cmocka_unit_test_setup_teardown(function, setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		azure_test(test_leaves),
		azure_test(test_document),
		azure_test(test_refusals),
		azure_test(test_tokens_required),
		azure_test(test_profile),
		azure_test(test_linux_disc),
		azure_test(test_windows_disc),
		azure_test(test_bare_windows_disc),
		azure_test(test_events),
		azure_test(test_attested),
		azure_test(test_identity),
		azure_test(test_boot),
		azure_test(test_health),
		azure_test(test_long_health),
		azure_test(test_extension),
		azure_test(test_bad_reports),
		azure_test(test_refused_extensions),
		azure_test(test_protected),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
