/* SPDX-License-Identifier: Apache-2.0
 * A tunnel as configuration of charon and swanctl. Sources: strongSwan's documentation of strongswan.conf and swanctl.conf (5.9), and
 * "Tunnel options" in AWS's Site-to-Site VPN user guide for the defaults.
 *
 * Values are numbers, addresses and words of tables; the key is written in hexadecimal, and identities have letters, digits and
 * . - _ : @ alone (engine/vpn/ipsec_connection.c). So no text of an account is quoted. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "drivers/strongswan/strongswan.h"
#include "model/vpn_tunnel.h"

/* A tunnel's words, which are EC2's or in the same form, and strongSwan's. A word that EC2 does not have is permitted by its name alone. */
struct word {
	const char *asked, *own;
	bool by_name;
};
#define COMBINED(bits, mode, own)                                                                            \
	{"AES" bits "-" mode "-8", "aes" bits own "8", true},                                                \
		{"AES" bits "-" mode "-12", "aes" bits own "12", true},                                      \
	{                                                                                                    \
		"AES" bits "-" mode "-16", "aes" bits own "16", true                                         \
	}
static const struct word encryptions[] = {
	{"AES256", "aes256", false},       {"AES128", "aes128", false},
	{"AES192", "aes192", true},        {"3DES", "3des", true},
	{"AES128-CTR", "aes128ctr", true}, {"AES192-CTR", "aes192ctr", true},
	{"AES256-CTR", "aes256ctr", true},
};
static const struct word combined[] = {
	{"AES256-GCM-16", "aes256gcm16", false}, {"AES128-GCM-16", "aes128gcm16", false},
	{"AES256-GCM-8", "aes256gcm8", true},    {"AES256-GCM-12", "aes256gcm12", true},
	{"AES128-GCM-8", "aes128gcm8", true},    {"AES128-GCM-12", "aes128gcm12", true},
	COMBINED("192", "GCM", "gcm"),           COMBINED("128", "CCM", "ccm"),
	COMBINED("192", "CCM", "ccm"),           COMBINED("256", "CCM", "ccm"),
};
static const struct word integrities[] = {{"SHA2-512", "sha512", false}, {"SHA2-384", "sha384", false},
					  {"SHA2-256", "sha256", false}, {"SHA1", "sha1", false},
					  {"AES-XCBC", "aesxcbc", true}, {"AES-CMAC", "aescmac", true}};
static const struct word prfs[] = {{"SHA2-512", "prfsha512", false}, {"SHA2-384", "prfsha384", false},
				   {"SHA2-256", "prfsha256", false}, {"SHA1", "prfsha1", false},
				   {"AES-XCBC", "prfaesxcbc", true}, {"AES-CMAC", "prfaescmac", true}};
/* IANA's numbers of Diffie-Hellman groups. */
static const struct word groups[] = {
	{"21", "ecp521"},         {"20", "ecp384"},          {"19", "ecp256"},
	{"18", "modp8192"},       {"17", "modp6144"},        {"16", "modp4096"},
	{"15", "modp3072"},       {"14", "modp2048"},        {"24", "modp2048s256"},
	{"23", "modp2048s224"},   {"5", "modp1536"},         {"2", "modp1024"},
	{"22", "modp1024s160"},   {"25", "ecp192", true},    {"26", "ecp224", true},
	{"27", "ecp224bp", true}, {"28", "ecp256bp", true},  {"29", "ecp384bp", true},
	{"30", "ecp512bp", true}, {"31", "curve25519", true}};
#define WORDS(table) table, sizeof(table) / sizeof(table)[0]

/* Adds the words that are permitted; returns their number. */
static int add(struct buf *out, const struct strs *permitted, const struct word *words, size_t count)
{
	int added = 0;
	for (size_t k = 0; k < count; k++) {
		bool is_permitted = permitted->count == 0 && !words[k].by_name;
		for (size_t n = 0; n < permitted->count; n++)
			is_permitted = is_permitted || str_is(permitted->at[n], words[k].asked);
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

void config_name_peer(uuid daemon, uuid tunnel, char out[static UUID_TEXT_SIZE])
{
	if (uuid_equal(daemon, tunnel))
		snprintf(out, UUID_TEXT_SIZE, "tunnel");
	else
		uuid_write(tunnel, out);
}

/* ---- strongswan.conf ---- */

static int64_t delay_s(const struct vpn_tunnel *n)
{
	return or_default(n->dpd_delay_s, DPD_DELAY_S);
}

/* With IKEv2 a peer is dead once a request stays without an answer, so DPDTimeoutSeconds decides on the retransmissions. All tunnels of
 * a daemon have those of the one that waits the least. */
static double retransmit_s(const struct vpn_wish *wish)
{
	double least_s = 0;
	for (size_t k = 0; k < wish->peer_count; k++) {
		const struct vpn_tunnel *n = wish->peers[k].tunnel;
		bool asks = n->dpd_action != VPN_TUNNEL_DPD_ACTION_NONE;
		double left_s = asks ? (double) (or_default(n->dpd_timeout_s, DPD_S) - delay_s(n))
				     : DPD_S - DPD_DELAY_S;
		if (k == 0 || left_s < least_s)
			least_s = left_s;
	}
	return least_s / (DPD_TRIES + 1);
}

static bool any_is_aggressive(const struct vpn_wish *wish)
{
	bool is = false;
	for (size_t k = 0; k < wish->peer_count; k++)
		is = is || wish->peers[k].tunnel->is_aggressive;
	return is;
}

RESULT config_write_daemon(struct ctx *c, const struct vpn_wish *wish, const char *directory, bool in_kernel,
			   struct str *ret_text)
{
	static const char plugins[] = "random nonce kdf aes sha1 sha2 hmac gcm openssl";
	/* Neutron's policies name algorithms that EC2 and CloudStack do not have. */
	bool is_service = !uuid_is_none(wish->peers[0].tunnel->service);
	struct buf b;
	buf_init(&b, CONFIG_CAP_SIZE);
	buf_print(&b,
		  "charon-systemd {\n"
		  "  load = %s%s%s kernel-netlink socket-default vici\n"
		  "  install_routes = no\n"
		  "  install_virtual_ip = no\n"
		  "  retransmit_base = 1\n"
		  "  retransmit_tries = %d\n"
		  "  retransmit_timeout = %.1f\n"
		  "  retry_initiate_interval = 10\n"
		  "%s"
		  "  journal {\n    default = 0\n  }\n"
		  "  plugins {\n"
		  "    vici {\n      socket = unix://%s/vici\n    }\n"
		  "  }\n"
		  "}\n"
		  "swanctl {\n  load = %s\n}\n",
		  plugins, is_service ? " ccm ctr xcbc cmac curve25519" : "",
		  in_kernel ? "" : " kernel-libipsec", DPD_TRIES, retransmit_s(wish),
		  any_is_aggressive(wish) ? "  i_dont_care_about_security_and_use_aggressive_mode_psk = yes\n"
					  : "",
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
		  "    dpd_delay = %" PRId64 "s\n    dpd_timeout = %" PRId64 "s\n",
		  phase1 - margin, margin, margin * fuzz / 100, asks ? delay_s(n) : 0,
		  or_default(n->dpd_timeout_s, DPD_S));
}

static void add_blocks(struct buf *b, const char *key, const struct cidr *blocks, size_t count)
{
	char text[CIDR_TEXT_SIZE];
	buf_print(b, "        %s = %s", key, count ? "" : "0.0.0.0/0");
	for (size_t k = 0; k < count; k++)
		buf_print(b, "%s%s", k ? "," : "", cidr_write(blocks[k], text));
	buf_print(b, "\n");
}

/* Traffic selectors of a security association. */
struct selectors {
	const struct cidr *own, *theirs;
	size_t own_count, theirs_count;
};

static void add_child(struct buf *b, const char *name, const struct vpn_tunnel *n,
		      const struct selectors *selectors, bool in_kernel)
{
	int64_t phase2 = or_default(n->phase2_lifetime_s, PHASE2_S),
		margin = or_default(n->rekey_margin_s, MARGIN_S);
	int64_t fuzz = n->rekey_fuzz ? n->rekey_fuzz - 1 : FUZZ_PERCENT;
	bool starts = n->startup == VPN_TUNNEL_STARTUP_START;
	buf_print(b, "      %s {\n", name);
	add_esp(b, n);
	add_blocks(b, "remote_ts", selectors->theirs, selectors->theirs_count);
	add_blocks(b, "local_ts", selectors->own, selectors->own_count);
	buf_print(b,
		  "        life_time = %" PRId64 "s\n"
		  "        rekey_time = %" PRId64 "s\n        rand_time = %" PRId64
		  "s\n        replay_window = %" PRId64
		  "\n        dpd_action = %s\n        start_action = %s\n        close_action = %s\n",
		  phase2, phase2 - margin, margin * fuzz / 100, or_default(n->replay_window, WINDOW),
		  dpd_word(n), starts ? "start" : "none", starts ? "start" : "none");
	if (in_kernel)
		buf_print(b, "        if_id_in = %d\n        if_id_out = %d\n", XFRM_IF_ID, XFRM_IF_ID);
	buf_print(b, "      }\n");
}

/* IKEv1 negotiates one pair of selectors for each security association. */
static void add_children(struct buf *b, const char *name, const struct vpn_peer *peer, bool in_kernel)
{
	bool in_pairs = version_of(peer->tunnel) == 1 && peer->own_count && peer->theirs_count &&
			peer->own_count * peer->theirs_count > 1;
	buf_print(b, "    children {\n");
	if (!in_pairs) {
		const struct selectors all = {peer->own, peer->theirs, peer->own_count, peer->theirs_count};
		add_child(b, name, peer->tunnel, &all, in_kernel);
	}
	for (size_t k = 0; in_pairs && k < peer->own_count; k++)
		for (size_t n = 0; n < peer->theirs_count; n++) {
			const struct selectors pair = {&peer->own[k], &peer->theirs[n], 1, 1};
			char one[UUID_TEXT_SIZE + 48];
			snprintf(one, sizeof one, "%s-%zu-%zu", name, k, n);
			add_child(b, one, peer->tunnel, &pair, in_kernel);
		}
	buf_print(b, "    }\n");
}

/* "secret = 0x…": a key of any bytes without quotes. */
static void add_hex(struct buf *b, struct str key)
{
	for (size_t k = 0; k < key.n; k++)
		buf_print(b, "%02x", (unsigned) (uint8_t) key.p[k]);
}

static bool is_ip(struct str text)
{
	struct ip ip;
	return result_is_ok(ip_parse(text, &ip));
}

/* An identity as charon reads it. As with Neutron's own driver both are names ("@") if one of those that were asked for is no address. */
static struct str identity(struct ctx *c, const struct vpn_peer *peer, struct str own)
{
	bool are_names =
		(peer->their_id.n && !is_ip(peer->their_id)) || (peer->own_id.n && !is_ip(peer->own_id));
	return own.n ? str_print(c->arena, "%s%" STR_FMT, are_names ? "@" : "", STR_ARG(own)) : own;
}

RESULT config_write_peer(struct ctx *c, const struct vpn_wish *wish, const struct vpn_peer *peer,
			 bool in_kernel, struct str *ret_text)
{
	char leg[IP_TEXT_SIZE], public[IP_TEXT_SIZE], address[IP_TEXT_SIZE], name[UUID_TEXT_SIZE];
	struct str own = identity(c, peer, peer->own_id), theirs = identity(c, peer, peer->their_id);
	bool is_alone = uuid_equal(wish->id, peer->tunnel->row.id);
	struct buf b;
	buf_init(&b, CONFIG_CAP_SIZE);
	ip_write(wish->link.leg, leg);
	ip_write(peer->tunnel->outside_ip, public);
	ip_write(peer->address, address);
	config_name_peer(wish->id, peer->tunnel->row.id, name);
	/* The daemon is behind address translation, so both sides send ESP in UDP. */
	buf_print(&b,
		  "%s%s%s# reset %" PRId64
		  "\nconnections {\n  %s {\n    version = %d\n    local_addrs = %s\n    remote_addrs = %s\n"
		  "    encap = yes\n    mobike = no\n    unique = replace\n    keyingtries = 0\n",
		  is_alone ? "" : TUNNEL_MARK, is_alone ? "" : name, is_alone ? "" : "\n",
		  peer->tunnel->resets, name, version_of(peer->tunnel), leg, address);
	if (peer->tunnel->is_aggressive)
		buf_print(&b, "    aggressive = yes\n");
	add_ike(&b, peer->tunnel);
	add_times(&b, peer->tunnel);
	buf_print(&b,
		  "    local {\n      auth = psk\n      id = %" STR_FMT "\n    }\n"
		  "    remote {\n      auth = psk\n      id = %" STR_FMT "\n    }\n",
		  STR_ARG(own.n ? own : str_from(public)), STR_ARG(theirs.n ? theirs : STR("%any")));
	add_children(&b, name, peer, in_kernel);
	buf_print(&b, "  }\n}\nsecrets {\n  ike-%s {\n", name);
	if (theirs.n) /* the key of this peer among those of the daemon */
		buf_print(&b, "    id-1 = %" STR_FMT "\n    id-2 = %s\n", STR_ARG(theirs), address);
	buf_print(&b, "    secret = 0x");
	add_hex(&b, peer->key);
	buf_print(&b, "\n  }\n}\n");
	return take(c, &b, ret_text);
}

/* Sections of the same name are one to strongSwan. */
RESULT config_write_connections(struct ctx *c, const struct vpn_wish *wish, bool in_kernel,
				struct str *ret_text)
{
	struct str all = STR(""), part = STR_NONE;
	for (size_t k = 0; k < wish->peer_count; k++) {
		TRY(config_write_peer(c, wish, &wish->peers[k], in_kernel, &part));
		all = str_print(c->arena, "%" STR_FMT "%" STR_FMT, STR_ARG(all), STR_ARG(part));
		if (!all.p)
			return ctx_no_memory(c);
	}
	*ret_text = all;
	return OK;
}
