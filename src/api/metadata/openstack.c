/* SPDX-License-Identifier: Apache-2.0
 * Nova's metadata below /openstack: the same instance as in EC2's tree, as JSON. A version is the date since
 * which a file exists; the content of the files does not depend on it. Source: Nova's documentation,
 * "Metadata"; what a stock cloud-init reads.
 */
#include <inttypes.h>
#include <jansson.h>

#include "api/metadata/imds.h"
#include "base/random.h"
#include "drivers/compute.h"
#include "engine/instance/host_name.h"
#include "engine/instance/key_pair.h"
#include "model/dhcp_options.h"
#include "model/id.h"
#include "model/instance.h"
#include "model/port.h"
#include "model/subnet.h"
#include "model/volume.h"
#include "model/zone.h"

#define CONTENT "content" /* directory of guest files, beside the versions */
#define PASSWORD_SINCE "2013-04-04"
enum { SEED_SIZE = 512 };

/* ---- JSON ---- */

static json_t *json_of(struct str s)
{
	return json_stringn(s.p ? s.p : "", s.n);
}

static json_t *json_of_uuid(uuid id)
{
	char text[UUID_TEXT_SIZE];
	return json_string(uuid_write(id, text));
}

/* Keystone's form: hexadecimal without dashes. */
static json_t *json_of_project(uuid id)
{
	char hex[2 * sizeof id.b + 1], text[UUID_TEXT_SIZE];
	size_t n = 0;
	uuid_write(id, text);
	for (const char *p = text; *p; p++)
		if (*p != '-')
			hex[n++] = *p;
	return json_stringn(hex, n);
}

static int add_bytes(const char *bytes, size_t size, void *arg)
{
	buf_add(arg, bytes, size);
	return 0;
}

/* Consumes the document. */
static void write_document(json_t *document, struct buf *b)
{
	if (!document || json_dump_callback(document, add_bytes, b, JSON_COMPACT | JSON_SORT_KEYS) != 0)
		b->failed = true;
	json_decref(document);
}

/* ---- meta_data.json ---- */

struct str imds_openstack_host_name(const struct imds_facts *s)
{
	const struct ips *ips = s->nic_count ? &s->nics[0].ips : NULL;
	return engine_make_host_name(s->arena, s->instance, ips && ips->count ? ips->at[0] : (struct ip){0});
}

/* Respects EC2's option to hide tags from the guest. */
static json_t *json_of_tags(const struct imds_facts *s)
{
	const struct instance *i = s->instance;
	bool shows = i->personality == INSTANCE_PERSONALITY_OPENSTACK || i->metadata_tags;
	json_t *meta = json_object();
	for (size_t k = 0; k < i->tags.count && shows; k++) {
		struct str key = str_copy(s->arena, i->tags.at[k].key);
		(void) json_object_set_new(meta, key.p ? key.p : "", json_of(i->tags.at[k].value));
	}
	return meta;
}

static void add_keys(const struct imds_facts *s, json_t *document)
{
	const struct instance *i = s->instance;
	struct str name = str_copy(s->arena, i->key_name);
	if (str_is_empty(i->public_key) || !name.p)
		return;
	bool is_certificate = engine_is_certificate(i->public_key);
	(void) json_object_set_new(document, "public_keys",
				   json_pack("{s:o}", name.p, json_of(i->public_key)));
	(void) json_object_set_new(document, "keys",
				   json_pack("[{s:o,s:s,s:o}]", "name", json_of(name), "type",
					     is_certificate ? "x509" : "ssh", "data",
					     json_of(i->public_key)));
}

static struct str draw_seed(struct arena *a)
{
	char seed[SEED_SIZE];
	random_bytes(seed, sizeof seed);
	return str_encode_base64(a, (struct str){seed, sizeof seed});
}

/* ---- devices ---- */

static void add_place(json_t *device, int bus)
{
	char address[16]; /* "0000:00:00.0" */
	(void) snprintf(address, sizeof address, "0000:%02x:00.0", (unsigned) bus & 0xFF);
	(void) json_object_set_new(device, "bus", json_string("pci"));
	(void) json_object_set_new(device, "address", json_string(address));
}

static void add_device_tag(json_t *device, struct str tag)
{
	if (tag.n)
		(void) json_object_set_new(device, "tags", json_pack("[o]", json_of(tag)));
}

/* The serial is what the guest sees; Nova has the volume's full id. */
static json_t *json_of_disk(const struct imds_facts *s, const struct volume *v)
{
	char id[EC2_ID_TEXT_SIZE];
	json_t *device = json_pack("{s:s,s:o}", "type", "disk", "path", json_of(v->device));
	struct str serial =
		str_print(s->arena, "vol%s", id_write_ec2(KIND_VOLUME, v->row.id, id) + strlen("vol-"));
	(void) json_object_set_new(device, "serial", json_of(serial));
	if (s->instance->disk_bus == INSTANCE_DISK_BUS_VIRTIO)
		add_place(device, compute_disk_bus((int) v->device_slot));
	add_device_tag(device, v->device_tag);
	return device;
}

/* As in Nova: disks with a tag, and all interfaces with their trusted flag, which is always false here. */
static json_t *json_of_devices(const struct imds_facts *s)
{
	char mac[MAC_TEXT_SIZE];
	json_t *list = json_array();
	for (size_t k = 0; k < s->nic_count; k++) {
		const struct port *p = s->nics[k].port;
		json_t *device = json_pack("{s:s,s:s,s:b}", "type", "nic", "mac", mac_write(p->mac, mac),
					   "vf_trusted", 0);
		add_place(device, compute_nic_bus((int) p->device_index));
		add_device_tag(device, p->device_tag);
		(void) json_array_append_new(list, device);
	}
	if (s->root && s->root->device_tag.n)
		(void) json_array_append_new(list, json_of_disk(s, s->root));
	for (size_t k = 0; k < s->volume_count; k++)
		if (s->volumes[k]->device_tag.n)
			(void) json_array_append_new(list, json_of_disk(s, s->volumes[k]));
	return list;
}

/* File name: its number. */
static struct str content_name(const struct imds_facts *s, size_t number)
{
	return str_print(s->arena, "%04zu", number);
}

static void add_files(const struct imds_facts *s, json_t *document)
{
	const struct instance *i = s->instance;
	json_t *list = json_array();
	for (size_t k = 0; k < i->file_paths.count; k++)
		(void) json_array_append_new(
			list, json_pack("{s:o,s:o}", "path", json_of(i->file_paths.at[k]), "content_path",
					json_of(str_print(s->arena, "/" CONTENT "/%" STR_FMT,
							  STR_ARG(content_name(s, k))))));
	(void) json_object_set_new(document, "files", list);
}

static RESULT read_file(const struct imds_facts *s, size_t number, struct str *ret_bytes)
{
	const struct strs *all = &s->instance->file_contents;
	return number < all->count ? str_decode_base64(s->arena, all->at[number], ret_bytes)
				   : FAIL(NOT_FOUND);
}

/* path: below openstack/content. No listing, as in Nova. */
static RESULT write_content(const struct imds_facts *s, const struct strs *path, struct buf *out)
{
	struct str bytes;
	for (size_t k = 0; k < s->instance->file_paths.count && path->count == 2; k++) {
		if (!str_equal(path->at[1], content_name(s, k)))
			continue;
		TRY(read_file(s, k, &bytes));
		buf_add_str(out, bytes);
		return OK;
	}
	return FAIL(NOT_FOUND);
}

static void write_meta_data(const struct imds_facts *s, struct buf *b)
{
	const struct instance *i = s->instance;
	struct str host = imds_openstack_host_name(s);
	json_t *document = json_pack(
		"{s:o,s:o,s:o,s:o,s:I,s:o,s:o,s:o,s:o}", "uuid", json_of_uuid(i->row.id), "name",
		json_of(i->name.n ? i->name : host), "hostname",
		json_of(str_print(s->arena, "%" STR_FMT ".%" STR_FMT, STR_ARG(host), STR_ARG(s->domain))),
		"availability_zone", json_of(s->zone_name), "launch_index", (json_int_t) i->launch_index,
		"project_id", json_of_project(i->account), "meta", json_of_tags(s), "random_seed",
		json_of(draw_seed(s->arena)), "devices", json_of_devices(s));
	if (document)
		add_keys(s, document);
	if (document && s->instance->file_paths.count)
		add_files(s, document);
	if (document && s->admin_password.n)
		(void) json_object_set_new(document, "admin_pass", json_of(s->admin_password));
	write_document(document, b);
}

/* ---- network_data.json ---- */

static json_t *json_of_link(const struct imds_nic *nic, struct str link)
{
	char mac[MAC_TEXT_SIZE];
	return json_pack("{s:o,s:s,s:s,s:I,s:o}", "id", json_of(link), "type", "ovs", "ethernet_mac_address",
			 mac_write(nic->port->mac, mac), "mtu", (json_int_t) nic->mtu, "vif_id",
			 json_of_uuid(nic->port->row.id));
}

static json_t *json_of_ip(struct ip ip)
{
	char text[IP_TEXT_SIZE];
	return json_string(ip_write(ip, text));
}

static json_t *json_of_mask(enum ip_family family, int bits)
{
	struct ip mask = {.family = (uint8_t) family};
	for (int k = 0; k < bits; k++)
		mask.b[k / 8] |= (uint8_t) (0x80 >> k % 8);
	return json_of_ip(mask);
}

static json_t *json_of_route(struct cidr to, struct ip hop)
{
	return json_pack("{s:o,s:o,s:o}", "network", json_of_ip(to.base), "netmask",
			 json_of_mask((enum ip_family) to.base.family, to.bits), "gateway", json_of_ip(hop));
}

/* Adds static addresses: without DHCP, and always for IPv6. */
static void add_addresses(const struct subnet *n, struct ip ip, json_t *network)
{
	json_t *routes = json_array();
	enum ip_family family = (enum ip_family) n->block.base.family;
	if (!ip_is_none(n->gateway_ip))
		(void) json_array_append_new(
			routes,
			json_of_route((struct cidr){.base = {.family = (uint8_t) family}}, n->gateway_ip));
	for (size_t k = 0; k < n->host_route_blocks.count && k < n->host_route_hops.count; k++)
		(void) json_array_append_new(
			routes, json_of_route(n->host_route_blocks.at[k], n->host_route_hops.at[k]));
	(void) json_object_set_new(network, "ip_address", json_of_ip(ip));
	(void) json_object_set_new(network, "netmask", json_of_mask(family, n->block.bits));
	(void) json_object_set_new(network, "routes", routes);
}

static json_t *json_of_network(const struct imds_facts *s, const struct imds_nic *nic, size_t number,
			       struct str link, const char *type)
{
	return json_pack("{s:o,s:o,s:s,s:o}", "id", json_of(str_print(s->arena, "network%zu", number)),
			 "link", json_of(link), "type", type, "network_id", json_of_uuid(nic->port->network));
}

static const char *ipv6_type(const struct subnet *n)
{
	static const char *const types[] = {
		[SUBNET_IPV6_ADDRESS_MODE_NONE] = "ipv6",
		[SUBNET_IPV6_ADDRESS_MODE_SLAAC] = "ipv6_slaac",
		[SUBNET_IPV6_ADDRESS_MODE_DHCPV6_STATEFUL] = "ipv6_dhcpv6-stateful",
		[SUBNET_IPV6_ADDRESS_MODE_DHCPV6_STATELESS] = "ipv6_dhcpv6-stateless",
	};
	return types[n->ipv6_address_mode];
}

/* Adds one network for each address family of the interface. */
static void add_networks(const struct imds_facts *s, const struct imds_nic *nic, struct str link,
			 json_t *networks)
{
	bool has_dhcp = !nic->subnet || !nic->subnet->no_dhcp;
	if (nic->ips.count) {
		json_t *network = json_of_network(s, nic, json_array_size(networks), link,
						  has_dhcp ? "ipv4_dhcp" : "ipv4");
		if (network && !has_dhcp)
			add_addresses(nic->subnet, nic->ips.at[0], network);
		(void) json_array_append_new(networks, network);
	}
	if (nic->ipv6s.count && nic->ipv6_subnet) {
		json_t *network =
			json_of_network(s, nic, json_array_size(networks), link, ipv6_type(nic->ipv6_subnet));
		if (network)
			add_addresses(nic->ipv6_subnet, nic->ipv6s.at[0], network);
		(void) json_array_append_new(networks, network);
	}
}

/* Resolvers that DHCP announces: the subnet's, else those of the VPC's DHCP options, else ours behind a
 * router. */
static struct ips resolvers_of(const struct imds_nic *nic, struct ip *ours)
{
	const struct subnet *n = nic->subnet;
	if (n && n->dns_servers.count)
		return n->dns_servers;
	if (nic->options && !nic->options->provided_dns)
		return nic->options->dns_servers;
	return n && uuid_is_none(n->router) ? (struct ips){0} : (struct ips){ours, 1};
}

static bool is_told(const json_t *services, const char *address)
{
	size_t k;
	json_t *service;
	json_array_foreach (services, k, service)
		if (strcmp(json_string_value(json_object_get(service, "address")), address) == 0)
			return true;
	return false;
}

static void add_services(struct ips resolvers, json_t *services)
{
	for (size_t n = 0; n < resolvers.count; n++) {
		char address[IP_TEXT_SIZE];
		if (!is_told(services, ip_write(resolvers.at[n], address)))
			(void) json_array_append_new(
				services, json_pack("{s:s,s:s}", "type", "dns", "address", address));
	}
}

static json_t *json_of_services(const struct imds_facts *s)
{
	json_t *services = json_array();
	struct ip ours = ip_from_v4(0xA9FEA9FD);
	for (size_t k = 0; k < s->nic_count; k++) {
		const struct imds_nic *nic = &s->nics[k];
		if (nic->ips.count)
			add_services(resolvers_of(nic, &ours), services);
		if (nic->ipv6s.count && nic->ipv6_subnet)
			add_services(nic->ipv6_subnet->dns_servers, services);
	}
	return services;
}

static void write_network_data(const struct imds_facts *s, struct buf *b)
{
	json_t *links = json_array(), *networks = json_array();
	for (size_t k = 0; k < s->nic_count; k++) {
		const struct imds_nic *nic = &s->nics[k];
		char id[UUID_TEXT_SIZE];
		uuid_write(nic->port->row.id, id);
		struct str link = str_print(s->arena, "tap%.11s", id);
		(void) json_array_append_new(links, json_of_link(nic, link));
		add_networks(s, nic, link, networks);
	}
	write_document(json_pack("{s:o,s:o,s:o}", "links", links, "networks", networks, "services",
				 json_of_services(s)),
		       b);
}

/* ---- the rest ---- */

static void write_user_data(const struct imds_facts *s, struct buf *b)
{
	buf_add_str(b, s->instance->user_data);
}

static void write_password(const struct imds_facts *s, struct buf *b)
{
	buf_add_str(b, s->instance->guest_password);
}

static void write_nothing(const struct imds_facts *s, struct buf *b)
{
	(void) s;
	buf_add_str(b, STR("{}"));
}

static const struct file {
	const char *name;
	const char *since; /* first version with the file */
	void (*write)(const struct imds_facts *s, struct buf *b);
} files[] = {
	{"meta_data.json", "2012-08-10", write_meta_data},
	{"network_data.json", "2015-10-15", write_network_data},
	{"password", PASSWORD_SINCE, write_password},
	{"user_data", "2012-08-10", write_user_data},
	{"vendor_data.json", "2013-10-17", write_nothing},
	{"vendor_data2.json", "2016-10-06", write_nothing},
};

static const char *const versions[] = {
	"2012-08-10", "2013-04-04", "2013-10-17", "2015-10-15", "2016-06-30",
	"2016-10-06", "2017-02-22", "2018-08-27", "2020-10-14", "latest",
};

static bool is_there(const struct imds_facts *s, const struct file *f, struct str version)
{
	bool is_known = str_is(version, "latest") || str_compare(version, str_from(f->since)) >= 0;
	return is_known && (f->write != write_user_data || s->instance->user_data.n);
}

static bool is_known(struct str version)
{
	for (size_t k = 0; k < sizeof versions / sizeof *versions; k++)
		if (str_is(version, versions[k]))
			return true;
	return false;
}

bool imds_takes_password(const struct strs *path)
{
	return path->count == 3 && str_is(path->at[0], "openstack") && is_known(path->at[1]) &&
	       str_compare(path->at[1], STR(PASSWORD_SINCE)) >= 0 && str_is(path->at[2], "password");
}

static void list_versions(struct buf *out)
{
	for (size_t k = 0; k < sizeof versions / sizeof *versions; k++)
		buf_print(out, "%s%s", k ? "\n" : "", versions[k]);
}

RESULT imds_write_openstack(const struct imds_facts *s, const struct strs *path, struct buf *out,
			    bool *ret_is_binary)
{
	*ret_is_binary = path->count > 0 && str_is(path->at[0], CONTENT);
	if (*ret_is_binary)
		return write_content(s, path, out);
	if (path->count == 0) {
		list_versions(out);
		return OK;
	}
	bool is_version = is_known(path->at[0]);
	for (size_t k = 0; k < sizeof files / sizeof *files && is_version; k++) {
		if (!is_there(s, &files[k], path->at[0]))
			continue;
		if (path->count == 1) {
			buf_print(out, "%s%s", out->size ? "\n" : "", files[k].name);
		} else if (path->count == 2 && str_is(path->at[1], files[k].name)) {
			files[k].write(s, out);
			*ret_is_binary = files[k].write == write_user_data;
			return OK;
		}
	}
	return is_version && path->count == 1 ? OK : FAIL(NOT_FOUND);
}

RESULT imds_list_openstack(const struct imds_facts *s, struct compute_files *ret_files)
{
	size_t file_count = s->instance->file_paths.count, count = 0;
	struct compute_file *at =
		arena_new_array(s->arena, struct compute_file, sizeof files / sizeof *files + file_count);
	for (size_t k = 0; k < sizeof files / sizeof *files && at; k++) {
		struct buf b;
		if (!is_there(s, &files[k], STR("latest")) || files[k].write == write_password)
			continue; /* not on a config drive */
		buf_init(&b, BUF_ANSWER_CAP);
		files[k].write(s, &b);
		bool is_whole = result_is_ok(buf_finish(&b));
		at[count++] = (struct compute_file){str_print(s->arena, "openstack/latest/%s", files[k].name),
						    str_copy(s->arena, buf_str(&b))};
		buf_done(&b);
		if (!is_whole)
			return FAIL(NO_MEMORY);
	}
	for (size_t k = 0; k < file_count && at; k++) {
		struct compute_file *file = &at[count++];
		file->path =
			str_print(s->arena, "openstack/" CONTENT "/%" STR_FMT, STR_ARG(content_name(s, k)));
		TRY(read_file(s, k, &file->bytes));
	}
	*ret_files = (struct compute_files){at, count};
	return at && !arena_is_full(s->arena) ? OK : FAIL(NO_MEMORY);
}
