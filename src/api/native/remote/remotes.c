/* SPDX-License-Identifier: Apache-2.0
 * Providers and their machines: clouds elsewhere that are listed and changed from here. The engine has the rules
 * (engine/remote/), the reconciler calls the clouds. */
#include "api/native/write.h"

#include "auth/key/key.h"
#include "base/crypto.h"
#include "drivers/remote.h"
#include "engine/remote/provider.h"
#include "engine/remote/provider_share.h"
#include "engine/remote/remote_machine.h"
#include "engine/remote/remote_price.h"
#include "store/provider.h"

#define CLOUDS "aws|openstack|cloudstack|azure|vmware|hyperv"

/* ---- providers ---- */

struct provider_args {
	struct provider_wish wish;
	struct str cloud, secret;
};
#define P(name, member, ...) PARAM(struct provider_args, name, member, __VA_ARGS__)
#define TRUST_PARAMS(T)                                                                                      \
	PARAM(struct T, "ca", wish.ca, .min = 1, .max = PROVIDER_CA_MAX,                                     \
	      .doc = "CA certificates in PEM for the endpoint; absent: the system's."),                      \
		PARAM(struct T, "pin", wish.pin, .min = 1, .max = 128,                                       \
		      .doc = "SHA-256 of the endpoint's public key, as sha256//BASE64, for a self-signed "   \
			     "certificate."),                                                                \
		PARAM(struct T, "poll_s", wish.poll_s, .min = 1, .max = PROVIDER_POLL_MAX_S,                 \
		      .doc = "Seconds between two listings, at least 60 except for administrators; absent: " \
			     "300."),                                                                        \
		PARAM(struct T, "reads_metrics", wish.reads_metrics,                                         \
		      .doc = "Reads metrics of the machines once an hour, which AWS charges for.")
#define QUEUE_DOC                                                                                            \
	"AWS: URL of a queue of SQS that EventBridge puts the account's events into, so that changes show "  \
	"before the next listing."
static const struct param provider_params[] = {
	P("name", wish.name, .min = 1, .max = 64, .flags = REQUIRED, .doc = "Name; unique in the account."),
	P("cloud", cloud, .words = CLOUDS, .flags = REQUIRED, .doc = "API of the cloud."),
	P("region", wish.region, .min = 1, .max = 63, .flags = REQUIRED,
	  .doc = "Region of the cloud; Hyper-V: host or cluster."),
	P("login", wish.login, .min = 1, .max = 255, .flags = REQUIRED,
	  .doc = "Id of the credentials: access key id (AWS), API key (CloudStack), client id (Azure), user "
		 "(VMware, Hyper-V); "
		 "for OpenStack a user, with a project, or an application credential, without."),
	P("project", wish.project, .max = 255,
	  .doc = "OpenStack: name or id of the project; absent for an application credential. Azure: id of "
		 "the subscription. Hyper-V: folder of template disks on the host, such as C:\\Templates."),
	P("domain", wish.domain, .max = 255,
	  .doc = "OpenStack: domain of the user and project; absent: Default. Azure: id of the tenant."),
	P("secret", secret, .min = 1, .max = PROVIDER_SECRET_MAX, .flags = REQUIRED,
	  .doc = "Secret of the credentials. Stored encrypted; never shown again."),
	P("endpoint", wish.endpoint, .max = 1024,
	  .doc = "URL of the API, for OpenStack that of Keystone, for VMware that of vCenter or an ESXi "
		 "host, for Hyper-V that of the host's WinRM; absent: "
		 "the public one. Plain HTTP, and "
		 "networks that accounts may not fetch from, are for administrators."),
	P("account", wish.owner, .kind = KIND_ACCOUNT, .flags = BY_NAME,
	  .doc = "Owning account; absent: the caller's. Only administrators may name another."),
	P("queue", wish.queue, .min = 1, .max = 1024, .doc = QUEUE_DOC),
	TRUST_PARAMS(provider_args),
};

static RESULT check_metrics(struct native_call *e, int cloud, bool wanted)
{
	return !wanted || remote_driver_of(cloud)->read_metrics
		       ? OK
		       : ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("reads_metrics"),
					"Metrics of this cloud cannot be read from here.");
}

static RESULT check_queue(struct native_call *e, int cloud, struct str queue)
{
	return !queue.n || remote_driver_of(cloud)->needs_queue
		       ? OK
		       : ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("queue"),
					"The change feed of this cloud is no queue.");
}

static RESULT prepare_provider(struct native_call *e, void *args)
{
	struct provider_args *a = args;
	a->wish.id = id_new(KIND_PROVIDER);
	a->wish.cloud = native_place_of_word(provider_cloud_words, a->cloud);
	const struct remote remote = {.endpoint = a->wish.endpoint,
				      .region = a->wish.region,
				      .project = a->wish.project,
				      .domain = a->wish.domain,
				      .login = a->wish.login,
				      .queue = a->wish.queue};
	TRY(check_queue(e, a->wish.cloud, a->wish.queue));
	TRY(remote_driver_of(a->wish.cloud)->check(e->c, &remote));
	TRY(check_metrics(e, a->wish.cloud, a->wish.reads_metrics));
	return key_seal(e->c, e->config->master_key, a->wish.id, a->secret, &a->wish.secret);
}

struct provider_change_args {
	struct provider_change wish;
	struct str secret;
};
static const struct param provider_change_params[] = {
	PARAM(struct provider_change_args, "login", wish.login, .min = 1, .max = 255,
	      .doc = "Id of the new credentials, which must belong to the same account of the cloud."),
	PARAM(struct provider_change_args, "secret", secret, .min = 1, .max = PROVIDER_SECRET_MAX,
	      .doc = "Secret of the new credentials."),
	PARAM(struct provider_change_args, "queue", wish.queue, .max = 1024,
	      .given = offsetof(struct provider_change_args, wish.has_queue) + 1,
	      .doc = QUEUE_DOC " Empty: none."),
	TRUST_PARAMS(provider_change_args),
};

static RESULT prepare_provider_change(struct native_call *e, void *args)
{
	struct provider_change_args *a = args;
	const struct row *row = NULL;
	TRY(engine_find_own(e->c, native_tables(e), KIND_PROVIDER, &a->wish.provider, &row));
	a->wish.id = row->id;
	const struct provider *p = provider_of(row);
	const struct remote remote = {.endpoint = p->endpoint,
				      .region = p->region,
				      .project = p->project,
				      .domain = p->domain,
				      .login = a->wish.login.n ? a->wish.login : p->login,
				      .queue = a->wish.queue};
	TRY(check_queue(e, (int) p->cloud, a->wish.queue));
	TRY(remote_driver_of((int) p->cloud)->check(e->c, &remote));
	TRY(check_metrics(e, (int) p->cloud, a->wish.reads_metrics == CHOICE_YES));
	return a->secret.n ? key_seal(e->c, e->config->master_key, row->id, a->secret, &a->wish.secret) : OK;
}

static const struct param refresh_params[] = {
	PARAM(struct provider_target, "accepts_loss", accepts_loss,
	      .doc = "Forgets all machines that the next listing lacks, however many they are."),
};

static const struct param share_params[] = {
	PARAM(struct provider_share_wish, "accounts", accounts, .kind = KIND_ACCOUNT,
	      .max = PROVIDER_SHARES_MAX, .flags = REQUIRED | BY_NAME,
	      .doc = "Accounts below the owner that see the provider's machines and resources; none ends the "
		     "sharing."),
	PARAM(struct provider_share_wish, "acts", shares_acts,
	      .doc = "These accounts may also act on machines, and create them."),
};

static const struct param prices_params[] = {
	PARAM(struct remote_prices_wish, "currency", currency, .min = 3, .max = 3, .flags = REQUIRED,
	      .doc = "Currency by ISO 4217."),
	PARAM(struct remote_prices_wish, "prices", prices, .max = REMOTE_PRICES_MAX, .flags = REQUIRED,
	      .doc = "The price of each type for an hour: an object of the type's name and a decimal as a "
		     "text, such as \"0.0104\". Replaces all earlier prices."),
};

/* ---- machines ---- */

static const struct param tag_params[] = {
	PARAM(struct remote_act_wish, "tags", tags, .max = 50, .flags = REQUIRED,
	      .doc = "Tags to add, or to replace by key."),
};

static const struct param resize_params[] = {
	PARAM(struct remote_act_wish, "type", type, .min = 1, .max = 64, .flags = REQUIRED,
	      .doc = "New type, by its name or id in the cloud."),
};

#define M(name, member, ...) PARAM(struct remote_create_wish, name, member, __VA_ARGS__)
static const struct param create_params[] = {
	M("provider", provider, .kind = KIND_PROVIDER, .flags = REQUIRED | BY_NAME,
	  .doc = "Provider of the new machine."),
	M("name", name, .min = 1, .max = 63, .flags = REQUIRED,
	  .doc = "Name of the machine in the other cloud."),
	M("image", image, .min = 1, .max = 255, .flags = REQUIRED, .doc = "The cloud's id of the image."),
	M("type", type, .min = 1, .max = 64, .flags = REQUIRED,
	  .doc = "The cloud's name of the type; OpenStack and CloudStack: name or id."),
	M("zone", zone, .max = 64, .doc = "The cloud's name of the zone; absent: the cloud chooses."),
	M("subnet", subnet, .max = 255,
	  .doc = "The cloud's id of the subnet, of OpenStack and CloudStack of the network; absent: the "
		 "cloud chooses."),
	M("key_name", key_name, .max = 255, .doc = "The cloud's name of the key pair."),
	M("groups", groups, .max = 64, .doc = "Security groups: the cloud's ids, of OpenStack their names."),
	M("tags", tags, .max = 40, .doc = "Tags of the machine in the other cloud."),
};

static RESULT prepare_creation(struct native_call *e, void *args)
{
	struct remote_create_wish *wish = args;
	const struct row *row = NULL;
	wish->id = id_new(KIND_REMOTE_MACHINE);
	TRY(native_find_row(e, KIND_PROVIDER, &wish->provider, &row));
	return remote_driver_of((int) provider_of(row)->cloud)->create
		       ? OK
		       : ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("provider"),
					"Machines of this cloud cannot be created from here.");
}

#define PREPARE(name, value)                                                                                 \
	static RESULT prepare_##name(struct native_call *e, void *args)                                      \
	{                                                                                                    \
		(void) e;                                                                                    \
		((struct remote_act_wish *) args)->act = REMOTE_MACHINE_ACT_##value;                         \
		return OK;                                                                                   \
	}
PREPARE(start, START)
PREPARE(stop, STOP)
PREPARE(reboot, REBOOT)
PREPARE(terminate, TERMINATE)
PREPARE(tag, TAG)
PREPARE(resize, RESIZE)

/* Refuses an act that the machine's cloud does not have. The operation answers for machines that are not found. */
static RESULT prepare_rare_act(struct native_call *e, struct remote_act_wish *wish,
			       enum remote_machine_act act)
{
	const struct row *row = NULL;
	wish->act = act;
	if (!result_is_ok(native_find_row(e, KIND_REMOTE_MACHINE, &wish->machine, &row))) {
		ctx_clear_problem(e->c);
		return OK;
	}
	const struct provider *p = provider_find(native_tables(e), remote_machine_of(row)->provider);
	const struct remote_driver *driver = p ? remote_driver_of((int) p->cloud) : NULL;
	return !driver || driver->verbs & 1U << act
		       ? OK
		       : ctx_fail_field(e->c, ERR_UNSUPPORTED, wish->machine.field,
					"Machines of this cloud (%s) have no act %s from here.", driver->name,
					remote_machine_act_words[act]);
}

static RESULT prepare_save(struct native_call *e, void *args)
{
	return prepare_rare_act(e, args, REMOTE_MACHINE_ACT_SAVE);
}

static RESULT prepare_snapshot(struct native_call *e, void *args)
{
	return prepare_rare_act(e, args, REMOTE_MACHINE_ACT_SNAPSHOT);
}

#define ACT(name, action, ...)                                                                               \
	CHANGE_MANY(POST, "/remote-machines/{id}/" #name, action, REMOTE_MACHINE,                            \
		    .target = NATIVE_AT(remote_act_wish, machine), .prepare = prepare_##name,                \
		    .operation = engine_act_remote_machine_run, __VA_ARGS__)

static const struct native_action actions[] = {
	CREATE("/providers", "dari:PutProvider", PROVIDER,
	       .args = PARAMS(struct provider_args, provider_params), .prepare = prepare_provider,
	       .operation = engine_create_provider_run,
	       .doc = "Adds a remote cloud. Its credentials are verified next: see status, problem and "
		      "lacks."),
	CHANGE(PATCH, "/providers/{id}", "dari:PutProvider", PROVIDER,
	       .args = PARAMS(struct provider_change_args, provider_change_params),
	       .target = NATIVE_AT(provider_change_args, wish.provider), .prepare = prepare_provider_change,
	       .operation = engine_change_provider_run,
	       .doc = "Changes the credentials, trust settings or interval of a provider."),
	CHANGE(POST, "/providers/{id}/refresh", "dari:RefreshProvider", PROVIDER,
	       .args = PARAMS(struct provider_target, refresh_params),
	       .target = NATIVE_AT(provider_target, provider), .operation = engine_refresh_provider_run,
	       .doc = "Requests a new listing of the provider's machines."),
	CHANGE(POST, "/providers/{id}/prices", "dari:PutProvider", PROVIDER,
	       .args = PARAMS(struct remote_prices_wish, prices_params),
	       .target = NATIVE_AT(remote_prices_wish, provider), .operation = engine_load_remote_prices_run,
	       .doc = "Loads the prices of the provider's instance types, for advice about its machines."),
	CHANGE(POST, "/providers/{id}/share", "dari:ShareProvider", PROVIDER,
	       .args = PARAMS(struct provider_share_wish, share_params),
	       .target = NATIVE_AT(provider_share_wish, provider), .operation = engine_share_provider_run,
	       .doc = "Sets the accounts that a provider is shared with."),
	CHANGE(DELETE, "/providers/{id}", "dari:DeleteProvider", PROVIDER,
	       .args = {.size = sizeof(struct provider_target)},
	       .target = NATIVE_AT(provider_target, provider), .operation = engine_delete_provider_run,
	       .doc = "Removes a provider and its machines from the lists. The machines keep running."),
	ACT(start, "dari:StartRemoteMachines", .args = {.size = sizeof(struct remote_act_wish)},
	    .doc = "Starts a remote machine."),
	ACT(stop, "dari:StopRemoteMachines", .args = {.size = sizeof(struct remote_act_wish)},
	    .doc = "Stops a remote machine."),
	ACT(reboot, "dari:RebootRemoteMachines", .args = {.size = sizeof(struct remote_act_wish)},
	    .doc = "Reboots a remote machine."),
	ACT(terminate, "dari:TerminateRemoteMachines", .args = {.size = sizeof(struct remote_act_wish)},
	    .doc = "Terminates a remote machine."),
	ACT(tag, "dari:TagRemoteMachines", .args = PARAMS(struct remote_act_wish, tag_params),
	    .doc = "Sets tags on a remote machine."),
	ACT(resize, "dari:ResizeRemoteMachines", .args = PARAMS(struct remote_act_wish, resize_params),
	    .doc = "Changes the type of a remote machine; some clouds require it to be stopped."),
	ACT(save, "dari:SaveRemoteMachines", .args = {.size = sizeof(struct remote_act_wish)},
	    .doc = "Saves the memory of a remote machine, and stops it (Hyper-V, VMware)."),
	ACT(snapshot, "dari:SnapshotRemoteMachines", .args = {.size = sizeof(struct remote_act_wish)},
	    .doc = "Makes a snapshot of a remote machine's disks: AWS, VMware, a checkpoint of Hyper-V, an "
		   "image of OpenStack."),
	CREATE("/remote-machines", "dari:CreateRemoteMachines", REMOTE_MACHINE,
	       .args = PARAMS(struct remote_create_wish, create_params), .prepare = prepare_creation,
	       .operation = engine_create_remote_machine_run,
	       .doc = "Creates a machine in a remote cloud from an image. The row gets the cloud's id when "
		      "the cloud returns it."),
};
const struct api_actions native_remotes_actions = API_ACTIONS(actions);
