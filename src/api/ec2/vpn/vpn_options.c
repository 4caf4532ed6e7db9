/* SPDX-License-Identifier: Apache-2.0
 * Options of VPN tunnels in requests. Source of names and ranges: EC2's API reference, VpnTunnelOptionsSpecification. */
#include "api/ec2/vpn/vpn.h"
#include "auth/key/key.h"
#include "base/crypto.h"
#include "base/random.h"

enum { KEY_MIN = 8, KEY_MAX = 64, KEY_MADE = 32 };

static const struct param value_rows[] = {
	PARAM(struct ec2_vpn_value, "Value", text, .flags = REQUIRED, .max = 64,
	      .doc = "One permitted value."),
};
static const struct params value_params = PARAMS(struct ec2_vpn_value, value_rows);

#define P(wire, member, ...) PARAM(struct ec2_vpn_options, wire, member, __VA_ARGS__)
#define VALUES(wire, member, words)                                                                          \
	PARAM_LIST(struct ec2_vpn_options, wire, member, value_params, .doc = (words))
static const struct param options_rows[] = {
	P("TunnelInsideCidr", row.inside_cidr, .doc = "Inside addresses: a /30 of 169.254.0.0/16."),
	NOT_BUILT("TunnelInsideIpv6Cidr"),
	P("PreSharedKey", key, .doc = "Pre-shared key of 8 to 64 letters, digits, periods and underscores."),
	P("Phase1LifetimeSeconds", row.phase1_lifetime_s, .min = 900, .max = 28800,
	  .doc = "Lifetime of phase 1."),
	P("Phase2LifetimeSeconds", row.phase2_lifetime_s, .min = 900, .max = 3600,
	  .doc = "Lifetime of phase 2."),
	P("RekeyMarginTimeSeconds", row.rekey_margin_s, .min = 60, .max = 1800,
	  .doc = "Time before the end of phase 2 in which keys are renewed."),
	P("RekeyFuzzPercentage", rekey_fuzz, .min = 0, .max = 100,
	  .doc = "Part of the margin within which the time of renewal is drawn."),
	P("ReplayWindowSize", row.replay_window, .min = 64, .max = 2048,
	  .doc = "Packets in the replay window."),
	P("DPDTimeoutSeconds", row.dpd_timeout_s, .min = 30, .max = 3600,
	  .doc = "Time after which a silent peer is dead."),
	P("DPDTimeoutAction", dpd_action, .words = "clear|none|restart", .doc = "What happens then."),
	VALUES("Phase1EncryptionAlgorithm", phase1_encryption,
	       "AES128, AES256, AES128-GCM-16 or AES256-GCM-16."),
	VALUES("Phase2EncryptionAlgorithm", phase2_encryption,
	       "AES128, AES256, AES128-GCM-16 or AES256-GCM-16."),
	VALUES("Phase1IntegrityAlgorithm", phase1_integrity, "SHA1, SHA2-256, SHA2-384 or SHA2-512."),
	VALUES("Phase2IntegrityAlgorithm", phase2_integrity, "SHA1, SHA2-256, SHA2-384 or SHA2-512."),
	VALUES("Phase1DHGroupNumber", phase1_groups, "Diffie-Hellman groups: 2, 14 to 24."),
	VALUES("Phase2DHGroupNumber", phase2_groups, "Diffie-Hellman groups: 2, 5, 14 to 24."),
	VALUES("IKEVersion", ike_versions, "ikev1 or ikev2."),
	P("StartupAction", startup, .words = "add|start",
	  .doc = "Who begins: the customer's device, or this side."),
	NOT_BUILT("LogOptions.CloudWatchLogOptions.LogEnabled|LogOptions.CloudWatchLogOptions.BgpLogEnabled",
		  .only = "false"),
	NOT_BUILT(
		"LogOptions.CloudWatchLogOptions.LogGroupArn|LogOptions.CloudWatchLogOptions.LogOutputFormat|"
		"LogOptions.CloudWatchLogOptions.BgpLogGroupArn|LogOptions.CloudWatchLogOptions."
		"BgpLogOutputFormat"),
	NOT_BUILT("EnableTunnelLifecycleControl", .only = "false"),
};
#undef P
const struct params ec2_vpn_options_params = PARAMS(struct ec2_vpn_options, options_rows);

/* ---- values ---- */

#define GROUPS_BASE "14|15|16|17|18|19|20|21|22|23|24"

static bool is_word(struct str words, struct str text)
{
	struct str word = STR_NONE;
	while (str_split_next(&words, '|', &word))
		if (str_equal(word, text))
			return true;
	return false;
}

static RESULT take_values(struct ec2_call *e, const struct ec2_vpn_values *values, const char *words,
			  const char *name, struct str field, struct strs *ret)
{
	struct str *at = values->count ? arena_new_array(e->c->arena, struct str, values->count) : NULL;
	struct str whole = str_print(e->c->arena, "%" STR_FMT "%s", STR_ARG(field), name);
	if (!values->count)
		return OK;
	if (!at)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < values->count; k++) {
		at[k] = values->at[k].text;
		if (!is_word(str_from(words), at[k]))
			return ctx_fail_field(e->c, ERR_INVALID, whole,
					      "Value (%" STR_FMT
					      ") for parameter %s is invalid. Valid values: %s",
					      STR_ARG(str_cut(at[k], 64)), name, words);
	}
	if (values->count > 16)
		return ctx_fail_field(e->c, ERR_INVALID, whole, "The parameter %s has too many values.",
				      name);
	*ret = (struct strs){at, values->count};
	return OK;
}

static RESULT take_lists(struct ec2_call *e, const struct ec2_vpn_options *o, struct str field,
			 struct vpn_tunnel *row)
{
	static const char ciphers[] = "AES128|AES256|AES128-GCM-16|AES256-GCM-16";
	static const char hashes[] = "SHA1|SHA2-256|SHA2-384|SHA2-512";
	const struct {
		const struct ec2_vpn_values *values;
		const char *words, *name;
		struct strs *to;
	} lists[] = {
		{&o->ike_versions, "ikev1|ikev2", "IKEVersion", &row->ike_versions},
		{&o->phase1_encryption, ciphers, "Phase1EncryptionAlgorithm", &row->phase1_encryption},
		{&o->phase1_integrity, hashes, "Phase1IntegrityAlgorithm", &row->phase1_integrity},
		{&o->phase1_groups, "2|" GROUPS_BASE, "Phase1DHGroupNumber", &row->phase1_groups},
		{&o->phase2_encryption, ciphers, "Phase2EncryptionAlgorithm", &row->phase2_encryption},
		{&o->phase2_integrity, hashes, "Phase2IntegrityAlgorithm", &row->phase2_integrity},
		{&o->phase2_groups, "2|5|" GROUPS_BASE, "Phase2DHGroupNumber", &row->phase2_groups},
	};
	for (size_t k = 0; k < sizeof lists / sizeof lists[0]; k++)
		TRY(take_values(e, lists[k].values, lists[k].words, lists[k].name, field, lists[k].to));
	return OK;
}

/* ---- keys ---- */

static bool is_key(struct str key)
{
	bool is = key.n >= KEY_MIN && key.n <= KEY_MAX && key.p[0] != '0';
	for (size_t k = 0; k < key.n; k++)
		is = is && ((key.p[k] >= 'a' && key.p[k] <= 'z') || (key.p[k] >= 'A' && key.p[k] <= 'Z') ||
			    (key.p[k] >= '0' && key.p[k] <= '9') || key.p[k] == '.' || key.p[k] == '_');
	return is;
}

static RESULT make_key(struct ec2_call *e, struct str *ret_key)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._";
	char *key = arena_alloc(e->c->arena, KEY_MADE);
	if (!key)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < KEY_MADE; k++)
		key[k] = letters[random_below(k ? sizeof letters - 1 : 52)];
	*ret_key = (struct str){key, KEY_MADE};
	return OK;
}

/* The message does not repeat the key. */
static RESULT seal_key(struct ec2_call *e, struct str key, struct str field, struct vpn_tunnel *row)
{
	if (!is_key(key))
		return ctx_fail_field(e->c, ERR_INVALID,
				      str_print(e->c->arena, "%" STR_FMT "PreSharedKey", STR_ARG(field)),
				      "The value of parameter PreSharedKey is invalid. It must have 8 to 64 "
				      "letters, digits, "
				      "periods and underscores, and must not begin with zero.");
	return key_seal(e->c, e->config->master_key, row->row.id, key, &row->key);
}

struct str ec2_open_vpn_key(struct api_call *e, const struct vpn_tunnel *tunnel)
{
	struct ctx quiet;
	struct str key = STR_NONE;
	uuid row = UUID_NONE;
	struct str sealed = engine_get_vpn_key(api_tables(e), tunnel, &row);
	ctx_init(&quiet, e->c->arena);
	if (!sealed.n)
		return STR_NONE;
	return result_is_ok(key_open(&quiet, e->config->master_key, row, sealed, &key)) ? key : STR_NONE;
}

RESULT ec2_take_vpn_options(struct ec2_call *e, const struct ec2_vpn_options *options, bool makes_key,
			    struct str field, struct vpn_tunnel *row)
{
	uuid id = row->row.id;
	struct str key = options->key;
	*row = options->row;
	row->row.id = id;
	TRY(take_lists(e, options, field, row));
	if (options->rekey_fuzz)
		row->rekey_fuzz = *options->rekey_fuzz + 1;
	if (options->dpd_action.n)
		row->dpd_action = str_is(options->dpd_action, "clear")  ? VPN_TUNNEL_DPD_ACTION_CLEAR
				  : str_is(options->dpd_action, "none") ? VPN_TUNNEL_DPD_ACTION_NONE
									: VPN_TUNNEL_DPD_ACTION_RESTART;
	if (options->startup.n)
		row->startup =
			str_is(options->startup, "add") ? VPN_TUNNEL_STARTUP_ADD : VPN_TUNNEL_STARTUP_START;
	if (!key.n && makes_key)
		TRY(make_key(e, &key));
	return key.n ? seal_key(e, key, field, row) : OK;
}
