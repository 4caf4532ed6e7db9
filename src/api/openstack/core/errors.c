/* SPDX-License-Identifier: Apache-2.0
 * Error table and error bodies. Clients branch on statuses and types, so a change here changes the API. */
#include "api/openstack/core/errors.h"

#include "api/openstack/core/words.h"

#define BIT(service) (1u << OS_##service)
#define ALL                                                                                                  \
	(BIT(IDENTITY) | BIT(COMPUTE) | BIT(IMAGE) | BIT(NETWORK) | BIT(VOLUME) | BIT(PLACEMENT) |           \
	 BIT(LOAD_BALANCER) | BIT(KEY_MANAGER) | BIT(ALARMING) | BIT(METRIC))

#define E(services, err, kind, status, type)                                                                 \
	{                                                                                                    \
		ERR_##err, KIND_##kind, status, type, NULL, services                                         \
	}
#define E_OF(services, err, kind, field, status, type)                                                       \
	{                                                                                                    \
		ERR_##err, KIND_##kind, status, type, field, services                                        \
	}

/* The first matching row applies; KIND_NONE matches every kind. */
static const struct api_error rows[] = {
	E_OF(ALL, RANGE, NONE, "OpenStack-API-Version", 406, 0),
	E_OF(ALL, UNSUPPORTED, NONE, "method", 405, 0),
	E_OF(BIT(IMAGE) | BIT(KEY_MANAGER), UNSUPPORTED, NONE, "Content-Type", 415, 0),
	E_OF(BIT(KEY_MANAGER), UNSUPPORTED, NONE, "Accept", 406, 0),
	E_OF(BIT(NETWORK), CONFLICT, NONE, "If-Match", 412, "RevisionNumberConstraintFailed"),
	E_OF(BIT(NETWORK), INVALID, NONE, "If-Match", 400, "BadRequest"),
	E_OF(BIT(IMAGE), NOT_FOUND, ACCOUNT, "owner", 400, 0),
	E(BIT(IMAGE), CAPACITY, NONE, 413, 0), /* Glance: the image store is full */
	E(BIT(NETWORK), NOT_FOUND, NETWORK, 404, "NetworkNotFound"),
	E(BIT(NETWORK), NOT_FOUND, EXTERNAL_NETWORK, 404, "NetworkNotFound"),
	E(BIT(NETWORK), NOT_FOUND, SUBNET, 404, "SubnetNotFound"),
	E(BIT(NETWORK), NOT_FOUND, PORT, 404, "PortNotFound"),
	E(BIT(NETWORK), NOT_FOUND, ROUTER, 404, "RouterNotFound"),
	E(BIT(NETWORK), NOT_FOUND, ADDRESS, 404, "FloatingIPNotFound"),
	E(BIT(NETWORK), NOT_FOUND, SECURITY_GROUP, 404, "SecurityGroupNotFound"),
	E(BIT(NETWORK), NOT_FOUND, SECURITY_GROUP_RULE, 404, "SecurityGroupRuleNotFound"),
	E(BIT(NETWORK), NOT_FOUND, PORT_FORWARDING, 404, "PortForwardingNotFound"),
	E(BIT(NETWORK), INVALID, PORT_FORWARDING, 400, "BadRequest"),
	E(BIT(NETWORK), RANGE, PORT_FORWARDING, 400, "BadRequest"),
	E(BIT(NETWORK), STATE, PORT_FORWARDING, 400, "BadRequest"),
	E(BIT(NETWORK), CONFLICT, PORT_FORWARDING, 400, "BadRequest"),
	E(BIT(NETWORK), EXISTS, PORT_FORWARDING, 400, "BadRequest"),
	E(BIT(NETWORK), IN_USE, PORT_FORWARDING, 409, "PortHasBindingFloatingIP"),
	E(BIT(NETWORK), UNSUPPORTED, PORT_FORWARDING, 400, "PortForwardingNotSupportFilterField"),
	E_OF(BIT(NETWORK), IN_USE, ADDRESS, "floatingip_id", 409, "FipInUseByPortForwarding"),
	E_OF(BIT(NETWORK), NOT_FOUND, ADDRESS_GROUP, "addresses", 404, "AddressesNotFound"),
	E(BIT(NETWORK), NOT_FOUND, ADDRESS_GROUP, 404, "AddressGroupNotFound"),
	E(BIT(NETWORK), NOT_FOUND, SUBNET_POOL, 404, "SubnetPoolNotFound"),
	E(BIT(NETWORK), NOT_FOUND, ADDRESS_SCOPE, 404, "AddressScopeNotFound"),
	E(BIT(NETWORK), NOT_FOUND, QOS_POLICY, 404, "QosPolicyNotFound"),
	E(BIT(NETWORK), NOT_FOUND, QOS_RULE, 404, "QosRuleNotFound"),
	E_OF(BIT(NETWORK), NOT_FOUND, TRUNK, "sub_ports", 404, "SubPortNotFound"),
	E(BIT(NETWORK), NOT_FOUND, TRUNK, 404, "TrunkNotFound"),
	E(BIT(NETWORK), NOT_FOUND, NETWORK_GRANT, 404, "RbacPolicyNotFound"),
	E(BIT(NETWORK), NOT_FOUND, HOST, 404, "AgentNotFound"),
	E(BIT(NETWORK), NOT_FOUND, VPN_SERVICE, 404, "VPNServiceNotFound"),
	E(BIT(NETWORK), NOT_FOUND, VPN_CONNECTION, 404, "IPsecSiteConnectionNotFound"),
	E(BIT(NETWORK), NOT_FOUND, IKE_POLICY, 404, "IKEPolicyNotFound"),
	E(BIT(NETWORK), NOT_FOUND, IPSEC_POLICY, 404, "IPsecPolicyNotFound"),
	E(BIT(NETWORK), NOT_FOUND, VPN_ENDPOINT_GROUP, 404, "VPNEndpointGroupNotFound"),
	E_OF(BIT(NETWORK), IN_USE, VPN_SERVICE, "router_id", 409, "RouterInUse"),
	E_OF(BIT(NETWORK), IN_USE, VPN_SERVICE, "subnet_id", 409, "SubnetInUseByVPNService"),
	E(BIT(NETWORK), IN_USE, VPN_SERVICE, 409, "VPNServiceInUse"),
	E(BIT(NETWORK), IN_USE, VPN_CONNECTION, 409, "SubnetInUseByIPsecSiteConnection"),
	E(BIT(NETWORK), IN_USE, IKE_POLICY, 409, "IKEPolicyInUse"),
	E(BIT(NETWORK), IN_USE, IPSEC_POLICY, 409, "IPsecPolicyInUse"),
	E_OF(BIT(NETWORK), IN_USE, VPN_ENDPOINT_GROUP, "subnet_id", 409, "SubnetInUseByEndpointGroup"),
	E(BIT(NETWORK), IN_USE, VPN_ENDPOINT_GROUP, 400, "EndpointGroupInUse"),
	E_OF(BIT(NETWORK), STATE, VPN_SERVICE, "router_id", 400, "RouterIsNotExternal"),
	E(BIT(NETWORK), STATE, VPN_SERVICE, 400, "SubnetIsNotConnectedToRouter"),
	E_OF(BIT(NETWORK), INVALID, VPN_ENDPOINT_GROUP, "endpoints", 400, "MissingEndpointForEndpointGroup"),
	E_OF(BIT(NETWORK), INVALID, VPN_ENDPOINT_GROUP, "subnet", 400, "NonExistingSubnetInEndpointGroup"),
	E(BIT(NETWORK), INVALID, VPN_ENDPOINT_GROUP, 400, "InvalidEndpointInEndpointGroup"),
	E_OF(BIT(NETWORK), INVALID, VPN_CONNECTION, "peer_cidr", 400, "IPsecSiteConnectionPeerCidrError"),
	E_OF(BIT(NETWORK), INVALID, VPN_CONNECTION, "missing_cidrs", 400, "MissingPeerCidrs"),
	E_OF(BIT(NETWORK), INVALID, VPN_CONNECTION, "group_type", 400, "WrongEndpointGroupType"),
	E_OF(BIT(NETWORK), INVALID, VPN_CONNECTION, "group", 400, "InvalidEndpointGroup"),
	E_OF(BIT(NETWORK), INVALID, VPN_CONNECTION, "cidrs", 400, "PeerCidrsInvalid"),
	E_OF(BIT(NETWORK), INVALID, VPN_CONNECTION, "missing_group", 400, "MissingRequiredEndpointGroup"),
	E_OF(BIT(NETWORK), INVALID, VPN_CONNECTION, "mixed_cidrs", 400, "MixedIPVersionsForPeerCidrs"),
	E_OF(BIT(NETWORK), INVALID, VPN_CONNECTION, "mixed_group", 400, "MixedIPVersionsForIPSecEndpoints"),
	E_OF(BIT(NETWORK), INVALID, VPN_CONNECTION, "mixed", 400, "MixedIPVersionsForIPSecConnection"),
	E_OF(BIT(NETWORK), INVALID, VPN_CONNECTION, "dpd", 400, "IPsecSiteConnectionDpdIntervalValueError"),
	E_OF(BIT(NETWORK), INVALID, VPN_CONNECTION, "mtu", 400, "IPsecSiteConnectionMtuError"),
	E_OF(BIT(NETWORK), INVALID, VPN_CONNECTION, "peer_address", 400, "VPNPeerAddressNotResolved"),
	E_OF(BIT(NETWORK), INVALID, VPN_CONNECTION, "peer_family", 400, "ExternalNetworkHasNoSubnet"),
	E(BIT(NETWORK), UNSUPPORTED, IPSEC_POLICY, 400, "IpsecValidationFailure"),
	E(BIT(NETWORK), NOT_FOUND, NONE, 404, "HTTPNotFound"),
	E(BIT(NETWORK), IN_USE, NETWORK, 409, "NetworkInUse"),
	E_OF(BIT(NETWORK), IN_USE, EXTERNAL_NETWORK, "provider:physical_network", 409, "FlatNetworkInUse"),
	E_OF(BIT(NETWORK), IN_USE, EXTERNAL_NETWORK, "provider:segmentation_id", 409, "VlanIdInUse"),
	E(BIT(NETWORK), IN_USE, EXTERNAL_NETWORK, 409, "ExternalNetworkInUse"),
	E(BIT(NETWORK), IN_USE, SUBNET, 409, "SubnetInUse"),
	E_OF(BIT(NETWORK), IN_USE, PORT, "port_security_enabled", 409, "PortSecurityPortHasSecurityGroup"),
	E_OF(BIT(NETWORK), COMBINATION, PORT, "allowed_address_pairs", 409,
	     "AddressPairAndPortSecurityRequired"),
	E_OF(BIT(NETWORK), COMBINATION, PORT, "security_groups", 400,
	     "PortSecurityAndIPRequiredForSecurityGroups"),
	E_OF(BIT(NETWORK), COMBINATION, NONE, "fixed_ip_address", 400, "BadRequest"),
	E_OF(BIT(NETWORK), IN_USE, PORT, "mac_address", 409, "PortBound"),
	E(BIT(NETWORK), IN_USE, PORT, 409, "PortInUse"),
	E(BIT(NETWORK), IN_USE, ROUTER, 409, "RouterInUse"),
	E(BIT(NETWORK), IN_USE, GATEWAY, 409, "RouterExternalGatewayInUseByFloatingIp"),
	E(BIT(NETWORK), IN_USE, ADDRESS, 409, "RouterInterfaceInUseByFloatingIP"),
	E(BIT(NETWORK), IN_USE, ROUTE, 409, "RouterInterfaceInUseByRoute"),
	E(BIT(NETWORK), IN_USE, SECURITY_GROUP, 409, "SecurityGroupInUse"),
	E(BIT(NETWORK), IN_USE, ADDRESS_GROUP, 409, "AddressGroupInUse"),
	E(BIT(NETWORK), IN_USE, SUBNET_POOL, 400, "SubnetPoolDeleteError"),
	E(BIT(NETWORK), IN_USE, ADDRESS_SCOPE, 409, "AddressScopeInUse"),
	E(BIT(NETWORK), IN_USE, QOS_POLICY, 409, "QosPolicyInUse"),
	E_OF(BIT(NETWORK), IN_USE, TRUNK, "subport", 409, "PortInUseAsSubPort"),
	E_OF(BIT(NETWORK), IN_USE, TRUNK, "parent", 409, "PortInUseAsTrunkParent"),
	E_OF(BIT(NETWORK), IN_USE, TRUNK, "sub_ports", 409, "TrunkPortInUse"),
	E(BIT(NETWORK), IN_USE, TRUNK, 409, "ParentPortInUse"),
	E_OF(BIT(NETWORK), IN_USE, NETWORK_GRANT, "shared", 409, "InvalidSharedSetting"),
	E(BIT(NETWORK), IN_USE, NETWORK_GRANT, 409, "RbacPolicyInUse"),
	E(BIT(NETWORK), IN_USE, NONE, 409, "InUse"),
	E(BIT(NETWORK), EXISTS, EXTERNAL_NETWORK, 409, "DefaultExternalNetworkExists"),
	E(BIT(NETWORK), INVALID, EXTERNAL_NETWORK, 400, "BadRequest"),
	E(BIT(NETWORK), INVALID, NETWORK, 400, "InvalidInput"),
	E(BIT(NETWORK), CAPACITY, EXTERNAL_NETWORK, 503, "NoNetworkAvailable"),
	E(BIT(NETWORK), EXISTS, SECURITY_GROUP_RULE, 409, "SecurityGroupRuleExists"),
	E(BIT(NETWORK), EXISTS, ADDRESS_GROUP, 400, "AddressesAlreadyExist"),
	E(BIT(NETWORK), EXISTS, SUBNET_POOL, 400, "InvalidInput"),
	E(BIT(NETWORK), EXISTS, QOS_POLICY, 409, "QoSPolicyDefaultAlreadyExists"),
	E(BIT(NETWORK), EXISTS, QOS_RULE, 409, "QoSRulesConflict"),
	E(BIT(NETWORK), EXISTS, TRUNK, 409, "DuplicateSubPort"),
	E(BIT(NETWORK), EXISTS, NETWORK_GRANT, 409, "DuplicatePolicyEntry"),
	E(BIT(NETWORK), EXISTS, PORT, 409, "IpAddressInUse"),
	E(BIT(NETWORK), EXISTS, ROUTER, 400, "BadRequest"),
	E(BIT(NETWORK), EXISTS, ADDRESS, 409, "IpAddressAlreadyAllocated"),
	E(BIT(NETWORK), EXISTS, NONE, 409, "Conflict"),
	E(BIT(NETWORK), PROTECTED, SECURITY_GROUP, 409, "SecurityGroupCannotRemoveDefault"),
	E(BIT(NETWORK), PROTECTED, PORT, 409, "ServicePortInUse"),
	E(BIT(NETWORK), PROTECTED, ADDRESS_SCOPE, 400, "AddressScopeUpdateError"),
	E(BIT(NETWORK), PROTECTED, NONE, 409, "Conflict"),
	E(BIT(NETWORK), CAPACITY, SUBNET, 409, "IpAddressGenerationFailure"),
	E(BIT(NETWORK), CAPACITY, ADDRESS, 400, "ExternalIpAddressExhausted"),
	E(BIT(NETWORK), CAPACITY, PORT, 503, "NetworkMacAddressGenerationFailure"),
	E(BIT(NETWORK), CAPACITY, SUBNET_POOL, 409, "SubnetAllocationError"),
	E(BIT(NETWORK), CAPACITY, NONE, 409, "IpAddressGenerationFailure"),
	E_OF(BIT(NETWORK), QUOTA, SUBNET_POOL, "default_quota", 409, "SubnetPoolQuotaExceeded"),
	E(BIT(NETWORK), QUOTA, NONE, 409, "OverQuota"),
	E(BIT(NETWORK), CONFLICT, PORT, 409, "MacAddressInUse"),
	E(BIT(NETWORK), CONFLICT, ADDRESS, 409, "FloatingIPPortAlreadyAssociated"),
	E(BIT(NETWORK), CONFLICT, SUBNET_POOL, 400, "IllegalSubnetPoolUpdate"),
	E(BIT(NETWORK), CONFLICT, ADDRESS_SCOPE, 409, "AddressScopePrefixConflict"),
	E(BIT(NETWORK), COMBINATION, ADDRESS_SCOPE, 400, "NetworkAddressScopeAffinityError"),
	E(BIT(NETWORK), CONFLICT, QOS_RULE, 409, "QoSRuleParameterConflict"),
	E(BIT(NETWORK), CONFLICT, TRUNK, 409, "SubPortMtuGreaterThanTrunkPortMtu"),
	E(BIT(NETWORK), CONFLICT, SECURITY_GROUP_RULE, 400, "SecurityGroupRuleParameterConflict"),
	E(BIT(NETWORK), CONFLICT, NONE, 400, "InvalidInput"),
	E(BIT(NETWORK), STATE, EXTERNAL_NETWORK, 409, "AutoAllocationFailure"),
	E_OF(BIT(NETWORK), STATE, NETWORK, "mtu", 409, "NetworkMTUSubnetConflict"),
	E(BIT(NETWORK), STATE, TRUNK, 409, "TrunkDisabled"),
	E(BIT(NETWORK), STATE, GATEWAY, 404, "ExternalGatewayForFloatingIPNotFound"),
	E(BIT(NETWORK), STATE, NONE, 409, "Conflict"),
	E(BIT(NETWORK), RANGE, NONE, 400, "InvalidInput"),
	E(BIT(NETWORK), INVALID, ADDRESS_SCOPE, 400, "IllegalSubnetPoolIpVersionAssociationToAddressScope"),
	E(BIT(NETWORK), INVALID, ROUTE, 400, "InvalidRoutes"),
	E(BIT(NETWORK), INVALID, SECONDARY_IP, 400, "AllocationOnAutoAddressSubnet"),
	E(BIT(NETWORK), INVALID, NONE, 400, "HTTPBadRequest"),
	E_OF(BIT(NETWORK), DENIED, EXTERNAL_NETWORK, "project_id", 403, "NotAuthorized"),
	E(BIT(NETWORK), DENIED, EXTERNAL_NETWORK, 403, "HTTPForbidden"),
	E(BIT(NETWORK), DENIED, ACCOUNT, 400, "HTTPBadRequest"),
	E_OF(BIT(NETWORK), DENIED, ADDRESS_SCOPE, "address_scope_id", 400, "IllegalSubnetPoolUpdate"),
	E_OF(BIT(NETWORK), DENIED, QOS_POLICY, "qos_policy_id", 403, "PolicyRemoveAuthorizationError"),
	E(BIT(NETWORK), DENIED, NONE, 403, "PolicyNotAuthorized"),
	E_OF(BIT(NETWORK), UNSUPPORTED, QOS_RULE, "port", 409, "QosRuleNotSupported"),
	E(BIT(NETWORK), UNSUPPORTED, QOS_RULE, 409, "QosRuleNotSupportedByNetwork"),
	E(BIT(NETWORK), UNSUPPORTED, NONE, 400, "InvalidInput"),
	E_OF(BIT(COMPUTE), NOT_FOUND, IMAGE, "server.imageRef", 400, 0),
	E_OF(BIT(COMPUTE), NOT_FOUND, IMAGE, "block_device_mapping_v2", 400, 0),
	E_OF(BIT(COMPUTE), NOT_FOUND, SNAPSHOT, "block_device_mapping_v2", 400, 0),
	E_OF(BIT(COMPUTE), NOT_FOUND, VOLUME, "block_device_mapping_v2", 400, 0),
	E_OF(BIT(COMPUTE), STATE, SNAPSHOT, "block_device_mapping_v2", 400, 0),
	E_OF(BIT(COMPUTE), STATE, VOLUME, "block_device_mapping_v2", 400, 0),
	E_OF(BIT(COMPUTE), STATE, VOLUME, "volumeId", 400, 0), /* Nova's InvalidVolume */
	E_OF(BIT(COMPUTE), NOT_FOUND, IMAGE, "imageRef", 400, 0),
	E_OF(BIT(COMPUTE), NOT_FOUND, IMAGE, "rescue_image_ref", 400, 0),
	E_OF(BIT(COMPUTE), NOT_FOUND, INSTANCE_TYPE, "server.flavorRef", 400, 0),
	E_OF(BIT(COMPUTE), NOT_FOUND, INSTANCE_TYPE, "flavorRef", 400, 0),
	E_OF(BIT(COMPUTE), NOT_FOUND, KEY_PAIR, "server.key_name", 400, 0),
	E_OF(BIT(COMPUTE), NOT_FOUND, NETWORK, "networks", 400, 0),
	E_OF(BIT(COMPUTE), NOT_FOUND, PORT, "networks", 400, 0),
	E_OF(BIT(COMPUTE), NOT_FOUND, SECURITY_GROUP, "security_groups", 400, 0),
	E_OF(BIT(COMPUTE), NOT_FOUND, SERVER_GROUP, "os:scheduler_hints", 400, 0),
	E_OF(BIT(COMPUTE), NOT_FOUND, HOST, "os-migrateLive", 400, 0),
	E_OF(BIT(COMPUTE), NOT_FOUND, HOST, "migrate", 400, 0),
	E_OF(BIT(COMPUTE), CONFLICT, INSTANCE_TYPE, "flavorRef", 400, 0), /* the server already has this
	                                                                   * flavor */
	E(BIT(COMPUTE), CONFLICT, ADDRESS, 400, 0),                       /* the fixed address already has
	                                                                   * a floating IP */
	E(BIT(COMPUTE), UNSUPPORTED, HOST, 501, 0),
	E(BIT(COMPUTE), STATE, HOST, 400, 0),       /* the host is in maintenance */
	E(BIT(COMPUTE), IN_USE, AGGREGATE, 400, 0), /* the aggregate has hosts */
	E(BIT(COMPUTE), IN_USE, SECURITY_GROUP, 400, 0),
	E(BIT(COMPUTE), IN_USE, VOLUME, 400, 0), /* Cinder's status, which Nova passes on */
	E(BIT(COMPUTE), IN_USE, SNAPSHOT, 400, 0),
	E(BIT(COMPUTE), PROTECTED, SECURITY_GROUP, 400, 0),
	E(BIT(COMPUTE), EXISTS, SECURITY_GROUP_RULE, 400, 0),
	E(BIT(COMPUTE), QUOTA, NONE, 403, 0),
	E(BIT(COMPUTE), CAPACITY, HOST, 409, 0), /* the host of the instance is closed */
	E(BIT(COMPUTE), CAPACITY, NONE, 400, 0),
	E(BIT(COMPUTE), PROTECTED, NONE, 409, 0),
	E_OF(BIT(VOLUME), EXISTS, VOLUME_TYPE, "encryption", 400, 0),
	E(BIT(VOLUME), QUOTA, NONE, 413, 0),
	E(BIT(VOLUME), IN_USE, NONE, 400, 0), /* a volume with snapshots, attached, …: "Invalid volume" */
	E(BIT(VOLUME), STATE, NONE, 400, 0),
	E(BIT(IMAGE), QUOTA, NONE, 413, 0),
	E(BIT(IMAGE), PROTECTED, NONE, 403, 0),
	E(BIT(IDENTITY), QUOTA, NONE, 403, 0),
	E(BIT(IDENTITY), PROTECTED, REGISTERED_LIMIT, 403, 0), /* Keystone's RegisteredLimitError */
	E(BIT(IDENTITY), STATE, PROJECT_LIMIT, 403, 0),        /* Keystone's NoLimitReference */
	E(BIT(IDENTITY), IN_USE, ACCESS_RULE, 403, 0),
	E(BIT(IDENTITY), STATE, DOMAIN, 403, 0),          /* the domain is enabled */
	E(BIT(LOAD_BALANCER), QUOTA, L7_RULE, 409, 0),    /* TooManyL7RulesOnL7Policy */
	E(BIT(LOAD_BALANCER), UNSUPPORTED, NONE, 501, 0), /* Octavia's ProviderUnsupportedOptionError */
	E(ALL, MISSING, NONE, 400, "HTTPBadRequest"),
	E(ALL, INVALID, NONE, 400, 0),
	E(ALL, MALFORMED, NONE, 400, "HTTPBadRequest"),
	E(ALL, COMBINATION, NONE, 400, "HTTPBadRequest"),
	E(ALL, UNKNOWN, NONE, 400, "HTTPBadRequest"),
	E(ALL, UNSUPPORTED, NONE, 400, 0),
	E(ALL, NOT_FOUND, NONE, 404, 0),
	E(ALL, EXISTS, NONE, 409, 0),
	E(ALL, IN_USE, NONE, 409, 0),
	E(ALL, STATE, NONE, 409, 0),
	E(ALL, CONFLICT, NONE, 409, 0),
	E(ALL, RANGE, NONE, 400, 0),
	E(ALL, PROTECTED, NONE, 403, 0),
	E(ALL, QUOTA, NONE, 403, 0),
	E(ALL, CAPACITY, NONE, 409, 0),
	E(ALL, UNAUTHENTICATED, NONE, 401, 0),
	E(ALL, EXPIRED, NONE, 401, 0),
	E(ALL, DENIED, NONE, 403, 0),
	E(ALL, TOO_LARGE, NONE, 413, "RequestEntityTooLarge"),
	E(ALL, THROTTLED, NONE, 429, "OverLimit"),
	E(ALL, NO_MEMORY, NONE, 503, "ServiceUnavailable"),
	E(ALL, AGAIN, NONE, 503, "ServiceUnavailable"),
	E(ALL, GONE, NONE, 503, "ServiceUnavailable"),
	E(ALL, TIMEOUT, NONE, 503, "ServiceUnavailable"),
	E(ALL, IO, NONE, 500, "HTTPInternalServerError"),
	E(ALL, DRY_RUN, NONE, 500, "HTTPInternalServerError"), /* OpenStack has no dry run */
	E(ALL, INTERNAL, NONE, 500, "HTTPInternalServerError"),
};

const struct api_errors os_errors = API_ERRORS(
	rows, .internal = "Unexpected API Error. The server's log has its cause, under the request's id.",
	.throttled = "This request was rate-limited.", .is_by_status = true);

/* ---- bodies ---- */

static const char *status_title(int status)
{
	switch (status) {
	case 400:
		return "Bad Request";
	case 401:
		return "Unauthorized";
	case 403:
		return "Forbidden";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 406:
		return "Not Acceptable";
	case 408:
		return "Request Timeout";
	case 409:
		return "Conflict";
	case 412:
		return "Precondition Failed";
	case 413:
		return "Request Entity Too Large";
	case 415:
		return "Unsupported Media Type";
	case 429:
		return "Too Many Requests";
	case 431:
		return "Request Header Fields Too Large";
	case 501:
		return "Not Implemented";
	case 503:
		return "Service Unavailable";
	default:
		return status < 500 ? "Bad Request" : "Internal Server Error";
	}
}

/* Fault names of Nova and Cinder. */
static const char *fault_name(int status)
{
	switch (status) {
	case 400:
		return "badRequest";
	case 401:
		return "unauthorized";
	case 403:
		return "forbidden";
	case 404:
		return "itemNotFound";
	case 405:
		return "badMethod";
	case 409:
		return "conflictingRequest";
	case 413:
	case 429:
		return "overLimit";
	case 415:
		return "badMediaType";
	case 501:
		return "notImplemented";
	case 503:
		return "serviceUnavailable";
	default:
		return "computeFault";
	}
}

/* Keystone's body. Every service uses it for 401, which Keystone's middleware answers. */
static void write_identity(struct json_writer *w, int status, struct str message)
{
	json_write_open(w, "error");
	json_write_int(w, "code", status);
	json_write_text(w, "message", message);
	json_write_z(w, "title", status_title(status));
	json_write_close(w);
}

/* Seconds. Waiting does not help with a quota; a rate-limit bucket has a token again after 1 s. */
static int retry_after(const struct api_problem *p)
{
	return p->status == 429;
}

static void write_fault(struct json_writer *w, const struct api_problem *p)
{
	bool is_named = p->error->code && !(p->error->parts & BIT(NETWORK));
	json_write_open(w, is_named ? p->error->code : fault_name(p->status));
	json_write_int(w, "code", p->status);
	json_write_text(w, "message", p->message);
	if (p->status == 413 || p->status == 429)
		json_write_int(w, "retryAfter", retry_after(p));
	json_write_close(w);
}

static void write_network(struct json_writer *w, const struct api_problem *p)
{
	json_write_open(w, "NeutronError");
	json_write_z(w, "type", p->error->code ? p->error->code : "HTTPBadRequest");
	json_write_text(w, "message", p->message);
	json_write_z(w, "detail", "");
	json_write_close(w);
}

/* The body that WSME makes of an exception. */
static void write_load_balancer(struct json_writer *w, int status, struct str message)
{
	json_write_z(w, "faultcode", status < 500 ? "Client" : "Server");
	json_write_text(w, "faultstring", message);
	json_write_null(w, "debuginfo");
}

/* Aodh puts WSME's body into another member. */
static void write_alarming(struct json_writer *w, int status, struct str message)
{
	json_write_open(w, "error_message");
	write_load_balancer(w, status, message);
	json_write_close(w);
}

/* Bodies of Barbican and Gnocchi. */
static void write_key_manager(struct json_writer *w, int status, struct str message)
{
	json_write_int(w, "code", status);
	json_write_z(w, "title", status_title(status));
	json_write_text(w, "description", message);
}

static void write_placement(struct os_call *e, struct json_writer *w, int status, struct str message)
{
	json_write_open_list(w, "errors");
	json_write_open(w, NULL);
	json_write_int(w, "status", status);
	json_write_z(w, "title", status_title(status));
	json_write_text(w, "detail", message);
	json_write_text(w, "request_id", str_print(e->c->arena, "req-%" STR_FMT, STR_ARG(e->c->request_id)));
	if (e->request.version >= 23)
		json_write_z(w, "code", "placement.undefined_code");
	json_write_close(w);
	json_write_close_list(w);
}

static void write_image(struct os_call *e, struct json_writer *w, int status, struct str message)
{
	json_write_text(w, "message", message);
	json_write_text(w, "code", str_print(e->c->arena, "%d %s", status, status_title(status)));
	json_write_z(w, "title", status_title(status));
}

static void write_body(struct os_call *e, const struct api_problem *p, struct json_writer *w)
{
	json_write_open(w, NULL);
	if (e->service == OS_IDENTITY || p->status == 401)
		write_identity(w, p->status, p->message);
	else if (e->service == OS_NETWORK)
		write_network(w, p);
	else if (e->service == OS_LOAD_BALANCER)
		write_load_balancer(w, p->status, p->message);
	else if (e->service == OS_ALARMING)
		write_alarming(w, p->status, p->message);
	else if (e->service == OS_KEY_MANAGER || e->service == OS_METRIC)
		write_key_manager(w, p->status, p->message);
	else if (e->service == OS_PLACEMENT)
		write_placement(e, w, p->status, p->message);
	else if (e->service == OS_IMAGE)
		write_image(e, w, p->status, p->message);
	else
		write_fault(w, p);
	json_write_close(w);
}

static void add_html_text(struct buf *b, struct str text)
{
	for (size_t k = 0; k < text.n; k++)
		if (text.p[k] == '<')
			buf_add_str(b, STR("&lt;"));
		else if (text.p[k] == '&')
			buf_add_str(b, STR("&amp;"));
		else
			buf_add_char(b, text.p[k]);
}

/* Glance answers HTML unless the client asks for JSON. */
static void write_page(struct buf *b, int status, struct str message)
{
	const char *title = status_title(status);
	buf_print(b, "<html>\n <head>\n  <title>%d %s</title>\n </head>\n <body>\n  <h1>%d %s</h1>\n  ",
		  status, title, status, title);
	add_html_text(b, message);
	buf_add_str(b, STR("<br /><br />\n\n\n </body>\n</html>"));
}

static bool wants_page(const struct os_call *e, int status)
{
	return e->service == OS_IMAGE && status != 401 &&
	       !str_contains(call_header(e->call, "Accept"), STR("application/json"));
}

RESULT os_write_problem(struct api_call *core, struct api_problem *p, struct buf *body)
{
	struct os_call *e = os_call_of(core);
	struct json_writer w;
	bool is_page = wants_page(e, p->status);
	json_write_begin(&w, body);
	if (is_page)
		write_page(body, p->status, p->message);
	else
		write_body(e, p, &w);
	if (is_page)
		p->content_type = "text/html; charset=UTF-8";
	os_set_headers(e);
	if (p->status == 401)
		call_set_answer_header(e->call, "WWW-Authenticate",
				       str_print(e->c->arena, "Keystone uri=\"%" STR_FMT "\"",
						 STR_ARG(os_service_url(e, OS_IDENTITY))));
	if (p->status == 429 || (p->status == 413 && e->service == OS_VOLUME))
		call_set_answer_header(e->call, "Retry-After", retry_after(p) ? STR("1") : STR("0"));
	return json_write_end(&w);
}

void os_word_problem(struct api_call *core, struct api_problem *p)
{
	struct os_call *e = os_call_of(core);
	if (e->c->problem.message.n)
		p->message = os_say_problem(e, &e->c->problem);
	if (p->err == ERR_UNAUTHENTICATED && e->service != OS_IDENTITY)
		p->message = STR("The request you have made requires authentication.");
}
