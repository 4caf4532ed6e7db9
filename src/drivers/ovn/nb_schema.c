/* SPDX-License-Identifier: Apache-2.0
 * Tables and columns of OVN's databases that we use (ovn-nb(5), ovn-sb(5)). */
#include "drivers/ovn/nb.h"

static const struct ovsdb_column nb_columns[] = {
	{"NB_Global", "nb_cfg", OVSDB_INT, false},
	{"NB_Global", "sb_cfg", OVSDB_INT, false},
	{"NB_Global", "external_ids", OVSDB_MAP, false},
	{"NB_Global", "options", OVSDB_MAP, false},

	{"Logical_Router", "name", OVSDB_TEXT, false},
	{"Logical_Router", "ports", OVSDB_UUIDS, false},
	{"Logical_Router", "static_routes", OVSDB_UUIDS, false},
	{"Logical_Router", "nat", OVSDB_UUIDS, false},
	{"Logical_Router", "policies", OVSDB_UUIDS, false},
	{"Logical_Router", "load_balancer", OVSDB_UUIDS, false},
	{"Logical_Router", "enabled", OVSDB_OPT_BOOL, false},
	{"Logical_Router", "options", OVSDB_MAP, false},
	{"Logical_Router", "external_ids", OVSDB_MAP, false},

	{"Logical_Router_Port", "name", OVSDB_TEXT, false},
	{"Logical_Router_Port", "mac", OVSDB_TEXT, false},
	{"Logical_Router_Port", "networks", OVSDB_TEXTS, false},
	{"Logical_Router_Port", "peer", OVSDB_OPT_TEXT, false},
	{"Logical_Router_Port", "options", OVSDB_MAP, false},
	{"Logical_Router_Port", "ipv6_ra_configs", OVSDB_MAP, false},
	{"Logical_Router_Port", "gateway_chassis", OVSDB_UUIDS, false},
	{"Logical_Router_Port", "external_ids", OVSDB_MAP, false},

	{"Logical_Router_Static_Route", "route_table", OVSDB_TEXT, false},
	{"Logical_Router_Static_Route", "ip_prefix", OVSDB_TEXT, false},
	{"Logical_Router_Static_Route", "nexthop", OVSDB_TEXT, false},
	{"Logical_Router_Static_Route", "output_port", OVSDB_OPT_TEXT, false},
	{"Logical_Router_Static_Route", "external_ids", OVSDB_MAP, false},

	{"Logical_Router_Policy", "priority", OVSDB_INT, false},
	{"Logical_Router_Policy", "match", OVSDB_TEXT, false},
	{"Logical_Router_Policy", "action", OVSDB_TEXT, false},
	{"Logical_Router_Policy", "external_ids", OVSDB_MAP, false},

	{"Logical_Switch", "name", OVSDB_TEXT, false},
	{"Logical_Switch", "ports", OVSDB_UUIDS, false},
	{"Logical_Switch", "acls", OVSDB_UUIDS, false},
	{"Logical_Switch", "dns_records", OVSDB_UUIDS, false},
	{"Logical_Switch", "load_balancer", OVSDB_UUIDS, false},
	{"Logical_Switch", "qos_rules", OVSDB_UUIDS, false},
	{"Logical_Switch", "external_ids", OVSDB_MAP, false},

	{"Logical_Switch_Port", "name", OVSDB_TEXT, false},
	{"Logical_Switch_Port", "type", OVSDB_TEXT, false},
	{"Logical_Switch_Port", "options", OVSDB_MAP, false},
	{"Logical_Switch_Port", "addresses", OVSDB_TEXTS, false},
	{"Logical_Switch_Port", "port_security", OVSDB_TEXTS, false},
	{"Logical_Switch_Port", "dhcpv4_options", OVSDB_OPT_UUID, false},
	{"Logical_Switch_Port", "dhcpv6_options", OVSDB_OPT_UUID, false},
	{"Logical_Switch_Port", "tag", OVSDB_OPT_INT, false},
	{"Logical_Switch_Port", "parent_name", OVSDB_OPT_TEXT, false},
	{"Logical_Switch_Port", "up", OVSDB_OPT_BOOL, false},
	{"Logical_Switch_Port", "external_ids", OVSDB_MAP, false},

	{"DHCP_Options", "cidr", OVSDB_TEXT, false},
	{"DHCP_Options", "options", OVSDB_MAP, false},
	{"DHCP_Options", "external_ids", OVSDB_MAP, false},

	{"DNS", "records", OVSDB_MAP, false},
	{"DNS", "external_ids", OVSDB_MAP, false},

	{"Port_Group", "name", OVSDB_TEXT, false},
	{"Port_Group", "ports", OVSDB_UUIDS, false},
	{"Port_Group", "acls", OVSDB_UUIDS, false},
	{"Port_Group", "external_ids", OVSDB_MAP, false},

	{"ACL", "priority", OVSDB_INT, false},
	{"ACL", "direction", OVSDB_TEXT, false},
	{"ACL", "match", OVSDB_TEXT, false},
	{"ACL", "action", OVSDB_TEXT, false},
	{"ACL", "options", OVSDB_MAP, false},
	{"ACL", "external_ids", OVSDB_MAP, false},

	{"QoS", "priority", OVSDB_INT, false},
	{"QoS", "direction", OVSDB_TEXT, false},
	{"QoS", "match", OVSDB_TEXT, false},
	{"QoS", "bandwidth", OVSDB_INTS, false},
	{"QoS", "action", OVSDB_INTS, false},
	{"QoS", "external_ids", OVSDB_MAP, false},

	{"NAT", "type", OVSDB_TEXT, false},
	{"NAT", "external_ip", OVSDB_TEXT, false},
	{"NAT", "logical_ip", OVSDB_TEXT, false},
	{"NAT", "options", OVSDB_MAP, false},
	{"NAT", "external_ids", OVSDB_MAP, false},

	{"Load_Balancer", "name", OVSDB_TEXT, false},
	{"Load_Balancer", "protocol", OVSDB_OPT_TEXT, false},
	{"Load_Balancer", "vips", OVSDB_MAP, false},
	{"Load_Balancer", "options", OVSDB_MAP, false},
	{"Load_Balancer", "selection_fields", OVSDB_TEXTS, false},
	{"Load_Balancer", "health_check", OVSDB_UUIDS, false},
	{"Load_Balancer", "ip_port_mappings", OVSDB_MAP, false},
	{"Load_Balancer", "external_ids", OVSDB_MAP, false},

	{"Load_Balancer_Health_Check", "vip", OVSDB_TEXT, false},
	{"Load_Balancer_Health_Check", "options", OVSDB_MAP, false},
	{"Load_Balancer_Health_Check", "external_ids", OVSDB_MAP, false},

	{"Gateway_Chassis", "name", OVSDB_TEXT, false},
	{"Gateway_Chassis", "chassis_name", OVSDB_TEXT, false},
	{"Gateway_Chassis", "priority", OVSDB_INT, false},
	{"Gateway_Chassis", "external_ids", OVSDB_MAP, false},
};

static const char *const nb_roots[] = {"NB_Global", "Logical_Router", "Logical_Switch", "DHCP_Options",
				       "DNS",       "Port_Group",     "Load_Balancer",  NULL};

const struct ovsdb_schema nb_schema = {"OVN_Northbound", nb_columns, sizeof nb_columns / sizeof nb_columns[0],
				       nb_roots, MARK_SCOPE};

static const struct ovsdb_column sb_columns[] = {{"Chassis", "name", OVSDB_TEXT, false},
						 {"Chassis", "other_config", OVSDB_MAP, false}};
static const char *const sb_roots[] = {"Chassis", NULL};

const struct ovsdb_schema sb_schema = {"OVN_Southbound", sb_columns, sizeof sb_columns / sizeof sb_columns[0],
				       sb_roots, MARK_SCOPE};
