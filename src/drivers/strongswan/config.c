/* SPDX-License-Identifier: Apache-2.0
 * A tunnel as configuration of charon and swanctl. Sources: strongSwan's documentation of strongswan.conf and swanctl.conf (5.9), and
 * "Tunnel options" in AWS's Site-to-Site VPN user guide for the defaults.
 *
 * Values are numbers, addresses and words of tables; the key is written in hexadecimal. So no text of an account is quoted. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "drivers/strongswan/strongswan.h"
#include "model/vpn_tunnel.h"

/* EC2's words and strongSwan's. */
struct word {
	const char *ec2, *own;
};
static const struct word encryptions[] = {{"AES256", "aes256"}, {"AES128", "aes128"}};
static const struct word combined[] = {{"AES256-GCM-16", "aes256gcm16"}, {"AES128-GCM-16", "aes128gcm16"}};
static const struct word integrities[] = {
	{"SHA2-512", "sha512"}, {"SHA2-384", "sha384"}, {"SHA2-256", "sha256"}, {"SHA1", "sha1"}};
static const struct word prfs[] = {
	{"SHA2-512", "prfsha512"}, {"SHA2-384", "prfsha384"}, {"SHA2-256", "prfsha256"}, {"SHA1", "prfsha1"}};
/* IANA's numbers of Diffie-Hellman groups. */
static const struct word groups[] = {{"21", "ecp521"},       {"20", "ecp384"},   {"19", "ecp256"},
				     {"18", "modp8192"},     {"17", "modp6144"}, {"16", "modp4096"},
				     {"15", "modp3072"},     {"14", "modp2048"}, {"24", "modp2048s256"},
				     {"23", "modp2048s224"}, {"5", "modp1536"},  {"2", "modp1024"},
				     {"22", "modp1024s160"}};
#define WORDS(table) table, sizeof(table) / sizeof(table)[0]

/* Adds the words that are permitted; returns their number. */
static int add(struct buf *out, const struct strs *permitted, const struct word *words, size_t count)
{
	int added = 0;
	for (size_t k = 0; k < count; k++) {
		bool is_permitted = permitted->count == 0;
		for (size_t n = 0; n < permitted->count; n++)
			is_permitted = is_permitted || str_is(permitted->at[n], words[k].ec2);
		if (is_permitted) {
			buf_print(out, "-%s", words[k].own);
			added++;
		}
	}
	return added;
}

/* A proposal of a group of ciphers; nothing if none of them is permitted. begin: position of its first "-". */
static void add_proposal(struct buf *out, const struct strs *encryption, const struct word *ciphers,
			 size_t cipher_count, const struct strs *integrity, const struct word *others,
			 size_t other_count, const struct strs *group, bool *is_first)
{
	struct buf one;
	buf_init(&one, CONFIG_CAP_SIZE);
	if (add(&one, encryption, ciphers, cipher_count) > 0) {
		add(&one, integrity, others, other_count);
		add(&one, group, WORDS(groups));
		struct str text = buf_str(&one);
		buf_print(out, "%s%" STR_FMT, *is_first ? "" : ",", STR_ARG(str_slice(text, 1, text.n)));
		*is_first = false;
	}
	buf_done(&one);
}

static void add_ike(struct buf *out, const struct vpn_tunnel *n)
{
	bool is_first = true;
	buf_print(out, "    proposals = ");
	add_proposal(out, &n->phase1_encryption, WORDS(encryptions), &n->phase1_integrity, WORDS(integrities),
		     &n->phase1_groups, &is_first);
	add_proposal(out, &n->phase1_encryption, WORDS(combined), &n->phase1_integrity, WORDS(prfs),
		     &n->phase1_groups, &is_first);
	buf_print(out, "\n");
}

/* Combined ciphers of ESP need no integrity algorithm. */
static void add_esp(struct buf *out, const struct vpn_tunnel *n)
{
	bool is_first = true;
	buf_print(out, "        esp_proposals = ");
	add_proposal(out, &n->phase2_encryption, WORDS(encryptions), &n->phase2_integrity, WORDS(integrities),
		     &n->phase2_groups, &is_first);
	add_proposal(out, &n->phase2_encryption, WORDS(combined), &n->phase2_integrity, NULL, 0,
		     &n->phase2_groups, &is_first);
	buf_print(out, "\n");
}

static RESULT take(struct ctx *c, struct buf *b, struct str *ret_text)
{
	struct str text = buf_str(b);
	*ret_text = text.n ? str_copy(c->arena, text) : STR_NONE;
	buf_done(b);
	return ret_text->p ? OK : ctx_no_memory(c);
}

static int64_t or_default(int64_t value, int64_t absent)
{
	return value ? value : absent;
}

/* AWS's defaults, as engine/vpn/vpn.h has them for checks. */
enum { PHASE1_S = 28800, PHASE2_S = 3600, MARGIN_S = 270, FUZZ_PERCENT = 100, WINDOW = 1024, DPD_S = 30 };
/* A silent peer is asked after DPD_DELAY_S, and again DPD_TRIES times. */
enum { DPD_DELAY_S = 10, DPD_TRIES = 4 };

/* ---- strongswan.conf ---- */

/* With IKEv2 a peer is dead once a request stays without an answer, so DPDTimeoutSeconds decides on the retransmissions. */
static double retransmit_s(const struct vpn_tunnel *n)
{
	double left_s = (double) (or_default(n->dpd_timeout_s, DPD_S) - DPD_DELAY_S);
	return left_s / (DPD_TRIES + 1);
}

RESULT config_write_daemon(struct ctx *c, const struct vpn_wish *wish, const char *directory, bool in_kernel,
			   struct str *ret_text)
{
	static const char plugins[] = "random nonce kdf aes sha1 sha2 hmac gcm openssl";
	struct buf b;
	buf_init(&b, CONFIG_CAP_SIZE);
	buf_print(&b,
		  "charon-systemd {\n"
		  "  load = %s%s kernel-netlink socket-default vici\n"
		  "  install_routes = no\n"
		  "  install_virtual_ip = no\n"
		  "  retransmit_base = 1\n"
		  "  retransmit_tries = %d\n"
		  "  retransmit_timeout = %.1f\n"
		  "  retry_initiate_interval = 10\n"
		  "  journal {\n    default = 0\n  }\n"
		  "  plugins {\n"
		  "    vici {\n      socket = unix://%s/vici\n    }\n"
		  "  }\n"
		  "}\n"
		  "swanctl {\n  load = %s\n}\n",
		  plugins, in_kernel ? "" : " kernel-libipsec", DPD_TRIES, retransmit_s(wish->tunnel),
		  directory, plugins);
	return take(c, &b, ret_text);
}

/* ---- swanctl.conf ---- */

static int version_of(const struct vpn_tunnel *n)
{
	if (n->ike_versions.count != 1)
		return 0; /* both */
	return str_is(n->ike_versions.at[0], "ikev1") ? 1 : 2;
}

static const char *dpd_word(const struct vpn_tunnel *n)
{
	return n->dpd_action == VPN_TUNNEL_DPD_ACTION_RESTART ? "restart" : "clear";
}

static void add_times(struct buf *b, const struct vpn_tunnel *n)
{
	int64_t phase1 = or_default(n->phase1_lifetime_s, PHASE1_S),
		margin = or_default(n->rekey_margin_s, MARGIN_S);
	int64_t fuzz = n->rekey_fuzz ? n->rekey_fuzz - 1 : FUZZ_PERCENT;
	bool asks = n->dpd_action != VPN_TUNNEL_DPD_ACTION_NONE;
	buf_print(b,
		  "    rekey_time = %" PRId64 "s\n    over_time = %" PRId64 "s\n    rand_time = %" PRId64
		  "s\n"
		  "    dpd_delay = %ds\n    dpd_timeout = %" PRId64 "s\n",
		  phase1 - margin, margin, margin * fuzz / 100, asks ? DPD_DELAY_S : 0,
		  or_default(n->dpd_timeout_s, DPD_S));
}

static void add_theirs(struct buf *b, const struct vpn_wish *wish)
{
	char theirs[CIDR_TEXT_SIZE];
	buf_print(b, "        remote_ts = %s", wish->theirs_count ? "" : "0.0.0.0/0");
	for (size_t k = 0; k < wish->theirs_count; k++)
		buf_print(b, "%s%s", k ? "," : "", cidr_write(wish->theirs[k], theirs));
	buf_print(b, "\n");
}

static void add_child(struct buf *b, const struct vpn_wish *wish, bool in_kernel)
{
	const struct vpn_tunnel *n = wish->tunnel;
	int64_t phase2 = or_default(n->phase2_lifetime_s, PHASE2_S),
		margin = or_default(n->rekey_margin_s, MARGIN_S);
	int64_t fuzz = n->rekey_fuzz ? n->rekey_fuzz - 1 : FUZZ_PERCENT;
	bool starts = n->startup == VPN_TUNNEL_STARTUP_START;
	char own[CIDR_TEXT_SIZE] = "0.0.0.0/0";
	if (!cidr_is_none(wish->own))
		cidr_write(wish->own, own);
	buf_print(b, "    children {\n      tunnel {\n");
	add_esp(b, n);
	add_theirs(b, wish);
	buf_print(b,
		  "        local_ts = %s\n        life_time = %" PRId64 "s\n"
		  "        rekey_time = %" PRId64 "s\n        rand_time = %" PRId64
		  "s\n        replay_window = %" PRId64
		  "\n        dpd_action = %s\n        start_action = %s\n        close_action = %s\n",
		  own, phase2, phase2 - margin, margin * fuzz / 100, or_default(n->replay_window, WINDOW),
		  dpd_word(n), starts ? "start" : "none", starts ? "start" : "none");
	if (in_kernel)
		buf_print(b, "        if_id_in = %d\n        if_id_out = %d\n", XFRM_IF_ID, XFRM_IF_ID);
	buf_print(b, "      }\n    }\n");
}

/* "secret = 0x…": a key of any bytes without quotes. */
static void add_secret(struct buf *b, struct str key)
{
	buf_print(b, "secrets {\n  ike-tunnel {\n    secret = 0x");
	for (size_t k = 0; k < key.n; k++)
		buf_print(b, "%02x", (unsigned) (uint8_t) key.p[k]);
	buf_print(b, "\n  }\n}\n");
}

RESULT config_write_connection(struct ctx *c, const struct vpn_wish *wish, bool in_kernel,
			       struct str *ret_text)
{
	char leg[IP_TEXT_SIZE], public[IP_TEXT_SIZE], peer[IP_TEXT_SIZE];
	struct buf b;
	buf_init(&b, CONFIG_CAP_SIZE);
	ip_write(wish->link.leg, leg);
	ip_write(wish->tunnel->outside_ip, public);
	ip_write(wish->peer, peer);
	/* The daemon is behind address translation, so both sides send ESP in UDP. */
	buf_print(
		&b,
		"# reset %" PRId64
		"\nconnections {\n  tunnel {\n    version = %d\n    local_addrs = %s\n    remote_addrs = %s\n"
		"    encap = yes\n    mobike = no\n    unique = replace\n    keyingtries = 0\n",
		wish->tunnel->resets, version_of(wish->tunnel), leg, peer);
	add_ike(&b, wish->tunnel);
	add_times(&b, wish->tunnel);
	buf_print(&b,
		  "    local {\n      auth = psk\n      id = %s\n    }\n"
		  "    remote {\n      auth = psk\n      id = %%any\n    }\n",
		  public);
	add_child(&b, wish, in_kernel);
	buf_print(&b, "  }\n}\n");
	add_secret(&b, wish->key);
	return take(c, &b, ret_text);
}
