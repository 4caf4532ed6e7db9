/* SPDX-License-Identifier: Apache-2.0
 * Settings of an account for all its instances: ModifyInstanceMetadataDefaults, GetInstanceMetadataDefaults;
 * GetSerialConsoleAccessStatus, EnableSerialConsoleAccess, DisableSerialConsoleAccess;
 * GetEbsEncryptionByDefault, EnableEbsEncryptionByDefault, DisableEbsEncryptionByDefault;
 * GetEbsDefaultKmsKeyId, ModifyEbsDefaultKmsKeyId, ResetEbsDefaultKmsKeyId;
 * Get, Enable and Disable of ImageBlockPublicAccess and SnapshotBlockPublicAccess;
 * GetDefaultCreditSpecification, ModifyDefaultCreditSpecification. */
#include "engine/people/account/account_settings.h"
#include "api/ec2/core/write.h"
#include "api/ec2/storage/volumes.h"
#include "store/account.h"

static RESULT find_account(struct ec2_call *e, const struct account **ret_account)
{
	*ret_account = account_find(ec2_tables(e), engine_get_account(e->c));
	return *ret_account ? OK : ctx_fail(e->c, ERR_DENIED, "The account is not there any more");
}

/* ---- metadata ---- */

struct ec2_modify_defaults {
	struct metadata_defaults_wish wish;
	struct str endpoint, tokens, tags;
	int64_t hop_limit;
	bool has_hop_limit;
};
#define P(wire, member, ...) PARAM(struct ec2_modify_defaults, wire, member, __VA_ARGS__)
#define NO_PREFERENCE "no-preference"
static const struct param modify_defaults_params[] = {
	P("HttpEndpoint", endpoint, .words = "enabled|disabled|" NO_PREFERENCE,
	  .doc = "Whether the instance metadata service is enabled."),
	P("HttpTokens", tokens, .words = "required|optional|" NO_PREFERENCE,
	  .doc = "Whether instance metadata requires a session token (IMDSv2)."),
	P("HttpPutResponseHopLimit", hop_limit, .min = -1, .max = 64,
	  .given = offsetof(struct ec2_modify_defaults, has_hop_limit) + 1,
	  .doc = "Maximum number of hops (IP TTL) of an answer with a session token; -1: no preference."),
	P("InstanceMetadataTags", tags, .words = "enabled|disabled|" NO_PREFERENCE,
	  .doc = "Whether instance metadata shows the instance's tags."),
	NOT_BUILT("HttpTokensEnforced", .only = "disabled|" NO_PREFERENCE),
};
#undef P

static void take_word(struct str word, const char *yes, bool *set, enum choice *choice)
{
	*set = !str_is_empty(word);
	*choice = !*set || str_is(word, NO_PREFERENCE) ? CHOICE_DEFAULT
		  : str_is(word, yes)                  ? CHOICE_YES
						       : CHOICE_NO;
}

static RESULT prepare_defaults(struct ec2_call *e, void *args)
{
	struct ec2_modify_defaults *a = args;
	struct metadata_defaults_wish *wish = &a->wish;
	if (a->has_hop_limit && a->hop_limit == 0)
		return ctx_fail_field(
			e->c, ERR_INVALID, STR("HttpPutResponseHopLimit"),
			"Value (0) for parameter httpPutResponseHopLimit is invalid. It must be "
			"between 1 and 64, or -1.");
	take_word(a->endpoint, "enabled", &wish->set_enabled, &wish->defaults.enabled);
	take_word(a->tokens, "required", &wish->set_tokens_required, &wish->defaults.tokens_required);
	take_word(a->tags, "enabled", &wish->set_tags, &wish->defaults.tags);
	wish->set_hop_limit = a->has_hop_limit;
	wish->defaults.hop_limit = a->hop_limit > 0 ? a->hop_limit : 0;
	return OK;
}

static void write_choice(struct xml *x, const char *name, enum choice choice, const char *yes, const char *no)
{
	if (choice != CHOICE_DEFAULT)
		xml_z(x, name, choice == CHOICE_YES ? yes : no);
}

static RESULT ec2_get_metadata_defaults(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct account *account = NULL;
	(void) args;
	TRY(find_account(e, &account));
	const struct metadata_defaults defaults = engine_metadata_defaults(account);
	xml_open(x, "accountLevel");
	write_choice(x, "httpTokens", defaults.tokens_required, "required", "optional");
	if (defaults.hop_limit)
		xml_int(x, "httpPutResponseHopLimit", defaults.hop_limit);
	write_choice(x, "httpEndpoint", defaults.enabled, "enabled", "disabled");
	write_choice(x, "instanceMetadataTags", defaults.tags, "enabled", "disabled");
	xml_z(x, "managedBy", "account");
	xml_close(x, "accountLevel");
	return OK;
}

/* ---- serial ports ---- */

static RESULT ec2_write_serial_access(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct account *account = NULL;
	(void) args;
	TRY(find_account(e, &account));
	xml_bool(x, "serialConsoleAccessEnabled", !account->serial_consoles_closed);
	return OK;
}

/* ---- volumes ---- */

static RESULT ec2_write_encrypts(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct account *account = NULL;
	(void) args;
	TRY(find_account(e, &account));
	xml_bool(x, "ebsEncryptionByDefault", account->encrypts_volumes);
	return OK;
}

struct ec2_choose_key {
	struct volume_key_choice choice;
	struct str key;
};
static const struct param choose_key_params[] = {
	PARAM(struct ec2_choose_key, "KmsKeyId", key, .flags = REQUIRED, .min = 1, .max = 2048,
	      .doc = "The account's key for volumes; no other key exists."),
};

static RESULT prepare_choose(struct ec2_call *e, void *args)
{
	return ec2_take_kms_key(e, ((const struct ec2_choose_key *) args)->key, &(struct disk_crypt){0});
}

static RESULT ec2_write_volume_key(struct ec2_call *e, const void *args, struct xml *x)
{
	(void) args;
	xml_text(x, "kmsKeyId", ec2_kms_arn(e, engine_get_account(e->c)));
	return OK;
}

/* ---- what may be public ---- */

#define UNBLOCKED "unblocked"
#define BLOCKS_NEW "block-new-sharing"
#define BLOCKS_ALL "block-all-sharing"

static RESULT ec2_write_public_images(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct account *account = NULL;
	(void) args;
	TRY(find_account(e, &account));
	xml_z(x, "imageBlockPublicAccessState", account->blocks_public_images ? BLOCKS_NEW : UNBLOCKED);
	return OK;
}

/* No declarative policy of an organization sets it here. */
static RESULT ec2_get_public_images(struct ec2_call *e, const void *args, struct xml *x)
{
	TRY(ec2_write_public_images(e, args, x));
	xml_z(x, "managedBy", "account");
	return OK;
}

struct ec2_block_images {
	struct public_images_wish wish;
	struct str state;
};
static const struct param block_images_params[] = {
	PARAM(struct ec2_block_images, "ImageBlockPublicAccessState", state, .flags = REQUIRED,
	      .words = BLOCKS_NEW, .doc = "block-new-sharing: no further image becomes public."),
};

static RESULT ec2_write_public_snapshots(struct ec2_call *e, const void *args, struct xml *x)
{
	static const char *const words[] = {[ACCOUNT_PUBLIC_SNAPSHOTS_ALLOWED] = UNBLOCKED,
					    [ACCOUNT_PUBLIC_SNAPSHOTS_NOT_NEW] = BLOCKS_NEW,
					    [ACCOUNT_PUBLIC_SNAPSHOTS_NONE] = BLOCKS_ALL};
	const struct account *account = NULL;
	(void) args;
	TRY(find_account(e, &account));
	xml_z(x, "state", words[account->public_snapshots]);
	return OK;
}

static RESULT ec2_get_public_snapshots(struct ec2_call *e, const void *args, struct xml *x)
{
	TRY(ec2_write_public_snapshots(e, args, x));
	xml_z(x, "managedBy", "account");
	return OK;
}

struct ec2_block_snapshots {
	struct public_snapshots_wish wish;
	struct str state;
};
static const struct param block_snapshots_params[] = {
	PARAM(struct ec2_block_snapshots, "State", state, .flags = REQUIRED,
	      .words = BLOCKS_ALL "|" BLOCKS_NEW,
	      .doc = "Snapshots that are public already stay public with " BLOCKS_NEW
		     ", and are hidden with " BLOCKS_ALL "."),
};

static RESULT prepare_block_snapshots(struct ec2_call *e, void *args)
{
	struct ec2_block_snapshots *a = args;
	(void) e;
	a->wish.state = str_is(a->state, BLOCKS_ALL) ? ACCOUNT_PUBLIC_SNAPSHOTS_NONE
						     : ACCOUNT_PUBLIC_SNAPSHOTS_NOT_NEW;
	return OK;
}

/* ---- CPU credits ---- */

struct ec2_credit_default {
	struct credit_default_wish wish;
};
#define FAMILY                                                                                               \
	PARAM(struct ec2_credit_default, "InstanceFamily", wish.family, .flags = REQUIRED,                   \
	      .words = "t2|t3|t3a|t4g", .doc = "Family of burstable instance types.")
static const struct param get_credits_params[] = {FAMILY};
static const struct param set_credits_params[] = {
	FAMILY,
	PARAM(struct ec2_credit_default, "CpuCredits", wish.unlimited, .flags = REQUIRED, .yes = "unlimited",
	      .no = "standard", .doc = "Credit option of the family's new instances."),
};

static RESULT ec2_write_credit_default(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_credit_default *a = args;
	const struct account *account = NULL;
	TRY(find_account(e, &account));
	xml_open(x, "instanceFamilyCreditSpecification");
	xml_text(x, "instanceFamily", a->wish.family);
	xml_z(x, "cpuCredits",
	      engine_has_unlimited_credits(account, a->wish.family) ? "unlimited" : "standard");
	xml_close(x, "instanceFamilyCreditSpecification");
	return OK;
}

/* Parameter table of actions without parameters. */
#define NOTHING_ASKED                                                                                        \
	{                                                                                                    \
		.size = sizeof(struct serial_consoles_wish)                                                  \
	}

static const struct ec2_action actions[] = {
	{EC2_ACTION("ModifyInstanceMetadataDefaults"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_modify_defaults, modify_defaults_params), .prepare = prepare_defaults,
	 .operation = engine_set_metadata_defaults_run,
	 .doc = "Sets the account's default instance metadata options, for launches that do not set their "
		"own."},
	{EC2_ACTION("GetInstanceMetadataDefaults"), .args = NOTHING_ASKED,
	 .answer = ec2_get_metadata_defaults,
	 .doc = "Returns the account's default instance metadata options."},
	{EC2_ACTION("GetSerialConsoleAccessStatus"), .args = NOTHING_ASKED, .answer = ec2_write_serial_access,
	 .doc = "Tells whether the serial console of instances may be used."},
	{EC2_ACTION("EnableSerialConsoleAccess"), .flags = API_WRITES, .args = NOTHING_ASKED,
	 .operation = engine_set_serial_consoles_run, .answer = ec2_write_serial_access,
	 .doc = "Allows the serial console of instances, through Nova's consoles."},
	{EC2_ACTION("DisableSerialConsoleAccess"), .flags = API_WRITES, .args = NOTHING_ASKED,
	 .sets = {API_SETS(struct serial_consoles_wish, are_closed)},
	 .operation = engine_set_serial_consoles_run, .answer = ec2_write_serial_access,
	 .doc = "Forbids the serial console of instances in every API."},
	{EC2_ACTION("GetEbsEncryptionByDefault"), .args = NOTHING_ASKED, .answer = ec2_write_encrypts,
	 .doc = "Tells whether the account encrypts new volumes by default."},
	{EC2_ACTION("EnableEbsEncryptionByDefault"), .flags = API_WRITES, .args = NOTHING_ASKED,
	 .sets = {API_SETS(struct volume_encryption, encrypts)},
	 .operation = engine_set_volume_encryption_run, .answer = ec2_write_encrypts,
	 .doc = "Encrypts every new volume of the account, even if the request says otherwise."},
	{EC2_ACTION("DisableEbsEncryptionByDefault"), .flags = API_WRITES, .args = NOTHING_ASKED,
	 .operation = engine_set_volume_encryption_run, .answer = ec2_write_encrypts,
	 .doc = "Encrypts new volumes only on request."},
	{EC2_ACTION("GetEbsDefaultKmsKeyId"), .args = NOTHING_ASKED, .answer = ec2_write_volume_key,
	 .doc = "Returns the account's key for volumes."},
	{EC2_ACTION("ModifyEbsDefaultKmsKeyId"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_choose_key, choose_key_params), .prepare = prepare_choose,
	 .operation = engine_choose_volume_key_run, .answer = ec2_write_volume_key,
	 .doc = "Accepts the account's key for volumes; no other key exists."},
	{EC2_ACTION("ResetEbsDefaultKmsKeyId"), .flags = API_WRITES, .args = NOTHING_ASKED,
	 .sets = {API_SETS(struct volume_key_choice, is_reset)}, .operation = engine_choose_volume_key_run,
	 .answer = ec2_write_volume_key, .doc = "Changes nothing; the account has a single key for volumes."},
	{EC2_ACTION("GetImageBlockPublicAccessState"), .args = NOTHING_ASKED, .answer = ec2_get_public_images,
	 .doc = "Tells whether images may be made public."},
	{EC2_ACTION("EnableImageBlockPublicAccess"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_block_images, block_images_params),
	 .sets = {API_SETS(struct ec2_block_images, wish.are_blocked)},
	 .operation = engine_set_public_images_run, .answer = ec2_write_public_images,
	 .doc = "Stops further images from being made public. Images that are public stay public."},
	{EC2_ACTION("DisableImageBlockPublicAccess"), .flags = API_WRITES,
	 .args = {.size = sizeof(struct public_images_wish)}, .operation = engine_set_public_images_run,
	 .answer = ec2_write_public_images, .doc = "Allows images to be made public."},
	{EC2_ACTION("GetSnapshotBlockPublicAccessState"), .args = NOTHING_ASKED,
	 .answer = ec2_get_public_snapshots, .doc = "Tells whether snapshots may be public."},
	{EC2_ACTION("EnableSnapshotBlockPublicAccess"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_block_snapshots, block_snapshots_params),
	 .prepare = prepare_block_snapshots, .operation = engine_set_public_snapshots_run,
	 .answer = ec2_write_public_snapshots, .doc = "Stops snapshots from being public."},
	{EC2_ACTION("DisableSnapshotBlockPublicAccess"), .flags = API_WRITES,
	 .args = {.size = sizeof(struct public_snapshots_wish)}, .operation = engine_set_public_snapshots_run,
	 .answer = ec2_write_public_snapshots, .doc = "Allows snapshots to be made public."},
	{EC2_ACTION("GetDefaultCreditSpecification"),
	 .args = PARAMS(struct ec2_credit_default, get_credits_params), .answer = ec2_write_credit_default,
	 .doc = "Returns the credit option of new instances of a burstable family."},
	{EC2_ACTION("ModifyDefaultCreditSpecification"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_credit_default, set_credits_params),
	 .operation = engine_set_credit_default_run, .answer = ec2_write_credit_default,
	 .doc = "Sets the credit option of new instances of a burstable family."},
};
const struct api_actions ec2_account_setting_actions = API_ACTIONS(actions);
