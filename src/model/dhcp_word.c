/* SPDX-License-Identifier: Apache-2.0
 * DHCP options by name, and their values in OVN's form. */
#include "model/dhcp_word.h"

static const struct dhcp_word words4[] = {
	{"dhcp_disabled", 0, NULL, DHCP_NOTHING, 0},
	{"netmask", 1, "netmask", DHCP_IP, 0},
	{"router", 3, "router", DHCP_IPS, 0},
	{"dns-server", 6, "dns_server", DHCP_IPS, 0},
	{"log-server", 7, "log_server", DHCP_IPS, 0},
	{"lpr-server", 9, "lpr_server", DHCP_IPS, 0},
	{"domain-name", 15, "domain_name", DHCP_TEXT, 0},
	{"swap-server", 16, "swap_server", DHCP_IP, 0},
	{"ip-forward-enable", 19, "ip_forward_enable", DHCP_NUMBER, 1},
	{"policy-filter", 21, "policy_filter", DHCP_IPS, 0},
	{"default-ttl", 23, "default_ttl", DHCP_NUMBER, UINT8_MAX},
	{"mtu", 26, "mtu", DHCP_NUMBER, UINT16_MAX},
	{"router-discovery", 31, "router_discovery", DHCP_NUMBER, 1},
	{"router-solicitation", 32, "router_solicitation", DHCP_IP, 0},
	{"arp-timeout", 35, "arp_cache_timeout", DHCP_NUMBER, UINT32_MAX},
	{"ethernet-encap", 36, "ethernet_encap", DHCP_NUMBER, 1},
	{"tcp-ttl", 37, "tcp_ttl", DHCP_NUMBER, UINT8_MAX},
	{"tcp-keepalive", 38, "tcp_keepalive_interval", DHCP_NUMBER, UINT32_MAX},
	{"nis-server", 41, "nis_server", DHCP_IPS, 0},
	{"ntp-server", 42, "ntp_server", DHCP_IPS, 0},
	{"lease-time", 51, "lease_time", DHCP_NUMBER, UINT32_MAX},
	{"server-id", 54, "server_id", DHCP_IP, 0},
	{"T1", 58, "T1", DHCP_NUMBER, UINT32_MAX},
	{"T2", 59, "T2", DHCP_NUMBER, UINT32_MAX},
	{"tftp-server", 66, "tftp_server", DHCP_HOST, 0},
	{"bootfile-name", 67, "bootfile_name", DHCP_TEXT, 0},
	{"bootfile-name-alt", 0, "bootfile_name_alt", DHCP_TEXT, 0},
	{"domain-search", 119, "domain_search_list", DHCP_TEXT, 0},
	{"classless-static-route", 121, "classless_static_route", DHCP_ROUTES, 0},
	{"tftp-server-address", 150, "tftp_server_address", DHCP_IPS, 0},
	{"path-prefix", 210, "path_prefix", DHCP_TEXT, 0},
	{"ms-classless-static-route", 249, "ms_classless_static_route", DHCP_ROUTES, 0},
	{"wpad", 252, "wpad", DHCP_TEXT, 0},
	{"server-ip-address", 255, "next_server", DHCP_IP, 0},
};
static const struct dhcp_word words6[] = {
	{"dhcp_disabled", 0, NULL, DHCP_NOTHING, 0},
	{"server-id", 2, "server_id", DHCP_MAC, 0},
	{"ia-addr", 5, "ia_addr", DHCP_IP, 0},
	{"dns-server", 23, "dns_server", DHCP_IPS, 0},
	{"domain-search", 24, "domain_search", DHCP_TEXT, 0},
	{"bootfile-name", 59, "bootfile_name", DHCP_TEXT, 0},
};

const struct dhcp_word *dhcp_word_find(enum ip_family family, struct str name)
{
	const struct dhcp_word *words = family == IP_V4 ? words4 : words6;
	size_t count = family == IP_V4 ? sizeof words4 / sizeof *words4 : sizeof words6 / sizeof *words6;
	int64_t number = 0;
	(void) str_parse_int(name, &number).code;
	for (size_t k = 0; k < count; k++)
		if (str_is(name, words[k].name) || (number > 0 && number == words[k].number))
			return &words[k];
	return NULL;
}

/* ---- values ---- */

static bool is_plain(struct str text)
{
	for (size_t k = 0; k < text.n; k++)
		if (text.p[k] < ' ' || text.p[k] > '~' || text.p[k] == '"' || text.p[k] == '\\')
			return false;
	return text.n > 0;
}

/* Strips quotes or braces that a client may have put around the value. */
static struct str inner(struct str value, char open, char close)
{
	value = str_trim(value);
	bool is_wrapped = value.n > 1 && value.p[0] == open && value.p[value.n - 1] == close;
	return is_wrapped ? str_trim(str_slice(value, 1, value.n - 1)) : value;
}

static bool parse_ip(struct str text, enum ip_family family, struct ip *ret_ip)
{
	return result_is_ok(ip_parse(str_trim(text), ret_ip)) && ret_ip->family == family;
}

static struct str write_ips(struct arena *a, enum ip_family family, struct str value, bool is_list)
{
	struct str rest = inner(value, '{', '}'), part, list = STR_NONE;
	char text[IP_TEXT_SIZE];
	size_t count = 0;
	struct ip ip;
	for (; str_split_next(&rest, ',', &part); count++) {
		if (!parse_ip(part, family, &ip))
			return STR_NONE;
		list = str_print(a, "%" STR_FMT "%s%s", STR_ARG(list), count ? ", " : "", ip_write(ip, text));
	}
	if (count == 1)
		return list;
	return is_list && count ? str_print(a, "{%" STR_FMT "}", STR_ARG(list)) : STR_NONE;
}

static struct str write_routes(struct arena *a, struct str value)
{
	struct str rest = inner(value, '{', '}'), block, hop, list = STR_NONE;
	char to[CIDR_TEXT_SIZE], via[IP_TEXT_SIZE];
	struct cidr cidr;
	struct ip ip;
	while (str_split_next(&rest, ',', &block)) {
		if (!str_split_next(&rest, ',', &hop) || !parse_ip(hop, IP_V4, &ip) ||
		    !result_is_ok(cidr_parse(str_trim(block), &cidr)) || cidr.base.family != IP_V4)
			return STR_NONE;
		list = str_print(a, "%" STR_FMT "%s%s,%s", STR_ARG(list), list.n ? ", " : "",
				 cidr_write(cidr_canonical(cidr), to), ip_write(ip, via));
	}
	return list.n ? str_print(a, "{%" STR_FMT "}", STR_ARG(list)) : STR_NONE;
}

static struct str write_text(struct arena *a, struct str value)
{
	struct str text = inner(value, '"', '"');
	return is_plain(text) ? str_print(a, "\"%" STR_FMT "\"", STR_ARG(text)) : STR_NONE;
}

static struct str write_number(struct arena *a, struct str value, int64_t most)
{
	int64_t number = 0;
	struct str text = str_is(value, "true") ? STR("1") : str_is(value, "false") ? STR("0") : value;
	if (!result_is_ok(str_parse_int(str_trim(text), &number)) || number < 0 || number > most)
		return STR_NONE;
	return str_print(a, "%lld", (long long) number);
}

struct str dhcp_word_write(struct arena *a, const struct dhcp_word *word, enum ip_family family,
			   struct str value)
{
	char mac_text[MAC_TEXT_SIZE];
	struct str host;
	struct mac mac;
	switch (word->form) {
	case DHCP_IP:
		return write_ips(a, family, value, false);
	case DHCP_IPS:
		return write_ips(a, family, value, true);
	case DHCP_HOST:
		host = write_ips(a, family, value, false);
		return host.p ? host : write_text(a, value);
	case DHCP_TEXT:
		return write_text(a, value);
	case DHCP_ROUTES:
		return write_routes(a, value);
	case DHCP_NUMBER:
		return write_number(a, value, word->most);
	case DHCP_MAC:
		return result_is_ok(mac_parse(str_trim(value), &mac))
			       ? str_copy(a, str_from(mac_write(mac, mac_text)))
			       : STR_NONE;
	case DHCP_NOTHING:
		break;
	}
	return STR_NONE;
}
