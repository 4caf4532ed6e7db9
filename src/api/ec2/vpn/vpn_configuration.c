/* SPDX-License-Identifier: Apache-2.0
 * CustomerGatewayConfiguration of a VPN connection: what the customer's device has to be told, in the XML that AWS writes and that
 * tools read, such as Terraform's provider. */
#include "api/ec2/vpn/vpn.h"
#include "store/customer_gateway.h"
#include "store/vpn_connection.h"
#include "store/vpn_gateway.h"
#include "store/vpn_tunnel.h"

enum { CONFIGURATION_CAP_SIZE = 64 * 1024, MSS = 1320 /* VPN_TUNNEL_MTU without headers of IPv4 and TCP */ };

/* The words of AWS's file for values of the API. */
static const struct {
	const char *value, *ike, *esp;
} words[] = {
	{"AES128", "aes-128-cbc", "aes-128-cbc"},
	{"AES256", "aes-256-cbc", "aes-256-cbc"},
	{"AES128-GCM-16", "aes-128-gcm", "aes-128-gcm"},
	{"AES256-GCM-16", "aes-256-gcm", "aes-256-gcm"},
	{"SHA1", "sha1", "hmac-sha1-96"},
	{"SHA2-256", "sha2-256", "hmac-sha2-256-128"},
	{"SHA2-384", "sha2-384", "hmac-sha2-384-192"},
	{"SHA2-512", "sha2-512", "hmac-sha2-512-256"},
};

/* The file names one value: the first of several, or AWS's default. */
static const char *word_of(const struct strs *values, const char *absent, bool is_esp)
{
	for (size_t k = 0; values->count && k < sizeof words / sizeof words[0]; k++)
		if (str_is(values->at[0], words[k].value))
			return is_esp ? words[k].esp : words[k].ike;
	return absent;
}

static void write_group(struct xml *x, struct arena *a, const struct strs *groups)
{
	struct str group = groups->count ? groups->at[0] : STR("2");
	if (!str_is(group, VPN_NO_GROUP))
		xml_text(x, "perfect_forward_secrecy", str_print(a, "group%" STR_FMT, STR_ARG(group)));
}

static void write_end(struct xml *x, struct arena *a, const char *name, struct ip outside, struct ip inside)
{
	xml_open(x, name);
	xml_open(x, "tunnel_outside_address");
	xml_text(x, "ip_address", ip_to_str(a, outside));
	xml_close(x, "tunnel_outside_address");
	xml_open(x, "tunnel_inside_address");
	xml_text(x, "ip_address", ip_to_str(a, inside));
	xml_z(x, "network_mask", "255.255.255.252");
	xml_z(x, "network_cidr", "30");
	xml_close(x, "tunnel_inside_address");
	xml_close(x, name);
}

static void write_ike(struct xml *x, struct arena *a, const struct vpn_tunnel *n, struct str key)
{
	xml_open(x, "ike");
	xml_z(x, "authentication_protocol", word_of(&n->phase1_integrity, "sha1", false));
	xml_z(x, "encryption_protocol", word_of(&n->phase1_encryption, "aes-128-cbc", false));
	xml_int(x, "lifetime", n->phase1_lifetime_s ? n->phase1_lifetime_s : VPN_PHASE1_LIFETIME_S);
	write_group(x, a, &n->phase1_groups);
	xml_z(x, "mode", "main");
	xml_text(x, "pre_shared_key", key);
	xml_close(x, "ike");
}

static void write_ipsec(struct xml *x, struct arena *a, const struct vpn_tunnel *n)
{
	xml_open(x, "ipsec");
	xml_z(x, "protocol", "esp");
	xml_z(x, "authentication_protocol", word_of(&n->phase2_integrity, "hmac-sha1-96", true));
	xml_z(x, "encryption_protocol", word_of(&n->phase2_encryption, "aes-128-cbc", true));
	xml_int(x, "lifetime", n->phase2_lifetime_s ? n->phase2_lifetime_s : VPN_PHASE2_LIFETIME_S);
	write_group(x, a, &n->phase2_groups);
	xml_z(x, "mode", "tunnel");
	xml_bool(x, "clear_df_bit", true);
	xml_bool(x, "fragmentation_before_encryption", true);
	xml_int(x, "tcp_mss_adjustment", MSS);
	xml_open(x, "dead_peer_detection");
	xml_int(x, "interval", 10);
	xml_int(x, "retries", 3);
	xml_close(x, "dead_peer_detection");
	xml_close(x, "ipsec");
}

static void write_tunnel(struct api_call *e, struct xml *x, const struct vpn_tunnel *n,
			 const struct customer_gateway *customer)
{
	struct arena *a = e->c->arena;
	xml_open(x, "ipsec_tunnel");
	write_end(x, a, "customer_gateway", customer->ip, ip_add(n->inside_cidr.base, 2));
	write_end(x, a, "vpn_gateway", n->outside_ip, ip_add(n->inside_cidr.base, 1));
	write_ike(x, a, n, ec2_open_vpn_key(e, n));
	write_ipsec(x, a, n);
	xml_close(x, "ipsec_tunnel");
}

struct str ec2_write_vpn_configuration(struct api_call *e, const struct vpn_connection *c)
{
	const struct tables *t = api_tables(e);
	const struct customer_gateway *customer = customer_gateway_find(t, c->customer_gateway);
	struct arena *a = e->c->arena;
	struct buf b;
	struct xml x;
	if (!row_is_live(&c->row) || !customer)
		return STR_NONE;
	buf_init(&b, CONFIGURATION_CAP_SIZE);
	xml_begin(&x, &b);
	struct str id = id_to_ec2(a, KIND_VPN_CONNECTION, c->row.id);
	struct str open = str_print(a, "vpn_connection id=\"%" STR_FMT "\"", STR_ARG(id));
	xml_open_named(&x, open);
	xml_text(&x, "customer_gateway_id", id_to_ec2(a, KIND_CUSTOMER_GATEWAY, c->customer_gateway));
	xml_text(&x, "vpn_gateway_id", id_to_ec2(a, KIND_VPN_GATEWAY, c->vpn_gateway));
	xml_z(&x, "vpn_connection_type", "ipsec.1");
	xml_z(&x, "vpn_connection_attributes", "NoBGPVPNConnection");
	for (const struct vpn_tunnel *n = vpn_tunnel_first_by_connection(t, c->row.id); n;
	     n = vpn_tunnel_next_by_connection(t, n))
		write_tunnel(e, &x, n, customer);
	xml_close_named(&x, STR("vpn_connection"));
	struct str text = result_is_ok(xml_end(&x)) ? str_copy(a, buf_str(&b)) : STR_NONE;
	buf_done(&b);
	return text;
}
