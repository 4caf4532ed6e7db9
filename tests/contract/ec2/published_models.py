#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/ec2 src/api/iam src/api/query
"""Holds the faces of EC2, STS and IAM to Amazon's published models, which Debian's python3-botocore carries.

Usage: tests/contract/ec2/published_models.py [DARI], a program that prints `dump actions` and `dump iam`. Checked:
each built action exists; each input member of the model is a parameter of ours, built or refused by
name; each parameter of ours is in the model, with its type; each filter name is documented; each
answer of the golden cases holds only elements that the model knows, in the form it says; each failure that the
model lists for an action is in our table of codes."""
import json
import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / 'tests/lib'))
from ec2_newer_filters import NEWER_FILTERS  # noqa: E402

MODELS = pathlib.Path('/usr/lib/python3/dist-packages/botocore/data')
TYPES = {'string': 'string', 'integer': 'integer', 'long': 'integer', 'boolean': 'boolean', 'blob': 'string',
         'double': 'string', 'float': 'string', 'timestamp': 'string'}
# Accepted by EC2 though its documentation does not list them.
EXTRA_FILTERS = re.compile(r'^(tag:|platform-details|usage-operation|usage-operation-update-time|cidrBlock|cidr-block|isDefault|availabilityZone|availabilityZoneId|defaultForAz|key|value|'
                           r'resource-id|resource-type|availability-zone-id|ip-permission.group-name|group-id|group-name|source-dest-check|'
                           r'private-dns-name|private-ip-address|ipv6-address|source-instance-id|operator.managed|operator.principal|'
                           r'association.gateway-id)$')  # the licences' filters, a zone's id and the last one are newer than Debian's model
# Additions to EC2 since Debian's model.
NEWER = re.compile(r'(Allocate|Modify)Hosts (HostMaintenance|AssetId)|CreateCapacityReservation (StartDate|CommitmentDuration|DeliveryPreference)|ModifyCapacityReservation InstanceMatchCriteria|AllocateAddress IpamPoolId|AssociateRouteTable PublicIpv4Pool|\w+Route OdbNetworkArn|'
                   r'(Create|Attach)Volume (AvailabilityZoneId|VolumeInitializationRate|Operator|EbsCardIndex)|'
                   r'Copy(Image|Snapshot) (Destination|SnapshotCopy|Completion)\w+|CreateSnapshots? Location|'
                   r'CreateImage SnapshotLocation|DeregisterImage DeleteAssociatedSnapshots|'
                   r'ModifyImageAttribute ImdsSupport.Value|(Copy|Register)Image TagSpecification.*|'
                   r'(Create|Register)Image BlockDeviceMapping.N.Ebs.(Avail|VolumeInit|EbsCard).*|'
                   r'Create(RouteTable|NetworkAcl) ClientToken|CreateDefaultSubnet AvailabilityZoneId|(Create|Associate)Subnet(CidrBlock)? Ipv[46](IpamPoolId|NetmaskLength)|\w+ .*IsPrimaryIpv6|'
                   r'CreateNatGateway (Secondary\w+(\.N)?|Availability\w+|VpcId)|'
                   r'CreateVpc VpcEncryptionControl|DescribeImages (IncludeDisabled|MaxResults|NextToken)|'
                   r'CreateNetworkInterface (EnablePrimaryIpv6|ConnectionTrackingSpecification|Operator)|'
                   r'AttachNetworkInterface EnaQueueCount|ModifyNetworkInterfaceAttribute (Attachment.(Default)?EnaQueueCount|'
                   r'EnablePrimaryIpv6|ConnectionTrackingSpecification|AssociatePublicIpAddress|AssociatedSubnetId)|'
                   r'Describe\w+ Include(ManagedResources|UnsupportedInRegion)|\w+Instances SkipOsShutdown|'
                   r'TerminateInstances Force|Describe(ReservedInstancesOfferings|SpotPriceHistory) AvailabilityZoneId|'
                   r'RunInstances (SecondaryInterface|Operator|EnablePrimaryIpv6|'
                   r'NetworkPerformanceOptions|Placement.AvailabilityZoneId|NetworkInterface.N.(PrimaryIpv6|'
                   r'EnaSrdSpecification|ConnectionTrackingSpecification|EnaQueueCount)|BlockDeviceMapping.N.Ebs.('
                   r'AvailabilityZone(Id)?|VolumeInitializationRate|EbsCardIndex)).*|AssumeRole ProvidedContexts|(Create|Update)SAMLProvider (AssertionEncryptionMode|(Add|Remove)PrivateKey)|'
                   r'AllocateHosts (AvailabilityZoneId|CpuOptions)|CreateFleet ReservedCapacityOptions|RequestSpotFleet .*Overrides.N.AvailabilityZoneId|CreateImage BootModeOverride|'
                   r'CreatePlacementGroup (LinkedGroupId|ParentGroupId|Operator)|(Create|Modify)VpcEndpoint (DnsOptions.Private\w+|SubnetConfiguration)|'
                   r'CreateVpcEndpoint (ServiceNetworkArn|ResourceConfigurationArn|ServiceRegion)|DescribeVpcEndpointServices ServiceRegion|'
                   r'(Create|Modify)VpcEndpointServiceConfiguration (Add|Remove)?SupportedRegion|'
                   r'CreateVpcPeeringConnection RequesterPeeringConnectionOptions|ModifyVpcPeeringConnectionOptions \w+.(AllowMulti|Multi)path\w+|'
                   r'DescribeLaunchTemplateVersions ResolveAlias|ModifyManagedPrefixList IpamPrefixListResolverSyncEnabled|'
                   r'ModifyInstanceAttribute EnclaveOptions.Enabled|(Unm|M)onitorInstances MetricCategoryId|RunInstances Monitoring.MetricCategoryId|'
                   r'(Create|Modify)TransitGateway(VpcAttachment)? Options.(SecurityGroupReferencing|Encryption)Support|SearchTransitGatewayRoutes NextToken|'
                   r'CreateCustomerGateway BgpAsnExtended|(CreateVpnConnection|ModifyVpnTunnelOptions) (.*\.(BgpLog\w+|EnableTunnelLifecycleControl|TunnelBandwidth)|'
                   r'VpnConcentratorId|PreSharedKeyStorage|SkipTunnelReplacement)|'
                   r'CreateLaunchTemplate Operator|CreateLaunchTemplate(Version)? LaunchTemplateData.(Monitoring.Metric|Placement.AvailabilityZoneId|Operator|NetworkPerf|Secondary).*')


# Actions added to EC2 since Debian's model: parameters, members of the answer and filters, from its API reference.
NEWER_NAT_ADDRESS = {'associationId': 'string', 'isPrimary': 'boolean', 'failureMessage': 'string', 'status': 'string'}
NAT_ADDRESSES = {'natGatewayId': 'string', 'natGatewayAddressSet': [{
    'allocationId': 'string', 'networkInterfaceId': 'string', 'privateIp': 'string', 'publicIp': 'string', **NEWER_NAT_ADDRESS}]}
NEWER_EC2_ACTIONS = {
    **{f'{verb}ImageBlockPublicAccess{state}': (asked, {'imageBlockPublicAccessState': 'string', **more}, '') for verb, state, asked, more in (
        ('Get', 'State', {}, {'managedBy': 'string'}), ('Disable', '', {}, {}), ('Enable', '', {'ImageBlockPublicAccessState': 'string'}, {}))},
    **{f'{verb}SnapshotBlockPublicAccess{state}': (asked, {'state': 'string', **more}, '') for verb, state, asked, more in (
        ('Get', 'State', {}, {'managedBy': 'string'}), ('Disable', '', {}, {}), ('Enable', '', {'State': 'string'}, {}))},
    'DeregisterImage': ({'ImageId': 'string', 'DeleteAssociatedSnapshots': 'boolean'},
                        {'return': 'boolean', 'deleteSnapshotResultSet': [{'snapshotId': 'string', 'returnCode': 'string'}]}, ''),
    'AssociateSecurityGroupVpc': ({'GroupId': 'string', 'VpcId': 'string'}, {'state': 'string'}, ''),
    'DescribeSecurityGroupVpcAssociations': (
        {'NextToken': 'string', 'MaxResults': 'integer', 'Filter': [{'Name': 'string', 'Value': ['string']}]},
        {'nextToken': 'string', 'securityGroupVpcAssociationSet': [{
            'groupId': 'string', 'vpcId': 'string', 'vpcOwnerId': 'string', 'state': 'string', 'stateReason': 'string',
            'groupOwnerId': 'string'}]},
        'group-id group-owner-id state vpc-id vpc-owner-id'),
    'DisassociateSecurityGroupVpc': ({'GroupId': 'string', 'VpcId': 'string'}, {'state': 'string'}, ''),
    'AssociateNatGatewayAddress': (
        {'NatGatewayId': 'string', 'AllocationId': ['string'], 'PrivateIpAddress': ['string'], 'AvailabilityZone': 'string',
         'AvailabilityZoneId': 'string'}, NAT_ADDRESSES, ''),
    'DisassociateNatGatewayAddress': (
        {'NatGatewayId': 'string', 'AssociationId': ['string'], 'MaxDrainDurationSeconds': 'integer'}, NAT_ADDRESSES, ''),
    'DisableImage': ({'ImageId': 'string'}, {'return': 'boolean'}, ''),
    'EnableImage': ({'ImageId': 'string'}, {'return': 'boolean'}, ''),
    'GetInstanceMetadataDefaults': ({}, {'accountLevel': {
        'httpTokens': 'string', 'httpPutResponseHopLimit': 'integer', 'httpEndpoint': 'string', 'instanceMetadataTags': 'string',
        'managedBy': 'string', 'managedExceptionMessage': 'string', 'httpTokensEnforced': 'string'}}, ''),
    'GetSecurityGroupsForVpc': (
        {'VpcId': 'string', 'NextToken': 'string', 'MaxResults': 'integer', 'Filter': [{'Name': 'string', 'Value': ['string']}]},
        {'nextToken': 'string', 'securityGroupForVpcSet': [{
            'description': 'string', 'groupName': 'string', 'ownerId': 'string', 'groupId': 'string',
            'tagSet': [{'key': 'string', 'value': 'string'}], 'primaryVpcId': 'string'}]},
        'group-id description group-name owner-id primary-vpc-id'),
    'ModifyInstanceMetadataDefaults': (
        {'HttpTokens': 'string', 'HttpPutResponseHopLimit': 'integer', 'HttpEndpoint': 'string', 'InstanceMetadataTags': 'string',
         'HttpTokensEnforced': 'string'}, {'return': 'boolean'}, ''),
}
NEWER_IAM_ACTIONS = {'GetMFADevice': ({'SerialNumber': 'string', 'UserName': 'string'}, {'SerialNumber': 'string', 'UserName': 'string', 'EnableDate': 'timestamp'}, '')}
NEWER_ACTIONS = {'ec2': NEWER_EC2_ACTIONS, 'iam': NEWER_IAM_ACTIONS}

# Members added to answers since then.
NEWER_OF_SHAPES = {'NatGatewayAddress': NEWER_NAT_ADDRESS, 'Image': {'deregistrationProtection': 'string'}}
NEWER_MEMBERS = {'ipv6AddressAttribute', 'ipSource', 'isPrimaryIpv6', 'groupLongName', 'securityGroupArn', 'securityGroupRuleArn', 'sourceInstanceId', 'revokedSecurityGroupRuleSet', 'flexibleEnaQueuesSupport', 'maximumEbsAttachments', 'attachmentLimitType',
                 'serviceRegion', 'nitroEnclavesSupport', 'nitroTpmSupport', 'nitroTpmInfo', 'phcSupport', 'rebootMigrationSupport', 'securityGroupReferencingSupport'}

# Golden cases are called by accounts' owners, who have no password to change: tests/contract/iam/people.py covers that. MFA devices show codes of now,
# as tests/contract/iam/mfa_devices.py does. The others always refuse.
NO_GOLDEN_ANSWER = {'StartVpcEndpointServicePrivateDnsVerification', 'AcceptTransitGatewayVpcAttachment', 'RejectTransitGatewayVpcAttachment', 'ChangePassword', 'DeactivateMFADevice', 'EnableMFADevice', 'ResyncMFADevice'}


class Model:
    def __init__(self, service, version):
        data = json.loads((MODELS / service / version / 'service-2.json').read_text())
        self.shapes, self.operations = data['shapes'], data['operations']
        self.member = '.member' if data['metadata']['protocol'] == 'query' else ''  # element name of list items
        for name, (inputs, outputs, filters) in NEWER_ACTIONS.get(service, {}).items():
            self.add_operation(name, inputs, outputs)
            if filters:
                self.shapes[name + 'In']['members']['Filter']['documentation'] = ''.join(f'<code>{f}</code>' for f in filters.split())
        for name, members in NEWER_OF_SHAPES.items() if service == 'ec2' else ():
            self.shapes[name]['members'].update(self.shapes[self.add_shape(name + 'Newer', members)]['members'])

    def add_operation(self, name, inputs, outputs):
        """Members: a type's name; a list contains members or a type, a structure is a dictionary."""
        known = self.operations.setdefault(name, {'input': {'shape': self.add_shape(name + 'In', inputs)}})
        known.setdefault('output', {'shape': self.add_shape(name + 'Out', outputs)})  # DeregisterImage had none
        if self.member:
            known['output'].setdefault('resultWrapper', f'{name}Result')

    def add_shape(self, name, what):
        if isinstance(what, dict):
            made = {'type': 'structure', 'members': {k: {'shape': self.add_shape(name + k, v), 'locationName': k} for k, v in what.items()}}
        elif isinstance(what, list):
            made = {'type': 'list', 'member': {'shape': self.add_shape(name + 'Item', what[0]), 'locationName': 'item'}}
        else:
            made = {'type': what}
        self.shapes[name] = made
        return name

    def wire_name(self, name, member):
        if 'queryName' in member:
            return member['queryName']
        location = member.get('locationName', name)
        return location if self.member else location[0].upper() + location[1:]  # EC2's own protocol capitalizes the name

    def inputs(self, action):
        """Leaf parameters as {wire name: type}, lists as Name.N."""
        out = {}

        def add(wire, shape_name, seen):
            shape = self.shapes[shape_name]
            if shape['type'] == 'list':
                wire += self.member
                inner = self.shapes[shape['member']['shape']]
                if inner['type'] == 'structure':
                    add_members(wire + '.N.', shape['member']['shape'], seen)
                else:
                    out[wire + '.N'] = 'list of strings'
            elif shape['type'] == 'structure':
                if shape_name not in seen:
                    add_members(wire + '.', shape_name, seen | {shape_name})
            else:
                out[wire] = TYPES[shape['type']]

        def add_members(prefix, shape_name, seen):
            for name, member in self.shapes[shape_name].get('members', {}).items():
                add(prefix + self.wire_name(name, member), member['shape'], seen)

        operation = self.operations[action]
        if 'input' in operation:
            add_members('', operation['input']['shape'], frozenset())
        return out

    def documented_filters(self, action):
        members = self.shapes[self.operations[action]['input']['shape']]['members']
        return set(re.findall(r'<code>([^<]+)</code>', (members.get('Filters') or members.get('Filter', {})).get('documentation', '')))

    def check_answer(self, element, shape_name, path, problems):
        shape = self.shapes[shape_name]
        if shape['type'] == 'structure':
            known = {m.get('locationName', n): m['shape'] for n, m in shape.get('members', {}).items()}
            for child in element:
                name = child.tag.split('}')[-1]
                if name in NEWER_MEMBERS:
                    continue
                if name in known:
                    self.check_answer(child, known[name], f'{path}/{name}', problems)
                else:
                    problems.append(f'{path}: no member {name} in {shape_name}')
        elif shape['type'] == 'list':
            for child in element:
                if child.tag.split('}')[-1] not in ('item', 'member', shape['member'].get('locationName')):
                    problems.append(f'{path}: {child.tag} in a list')
                self.check_answer(child, shape['member']['shape'], path + '[]', problems)
        elif shape['type'] == 'map':
            for entry in element:
                if [c.tag.split('}')[-1] for c in entry] != ['key', 'value']:
                    problems.append(f'{path}: an entry of a map has a key and a value')
        elif len(element):
            problems.append(f'{path}: elements where {shape["type"]} is said')
        elif shape['type'] in ('integer', 'long') and not re.fullmatch(r'-?\d+', element.text or ''):
            problems.append(f'{path}: {element.text!r} is no number')
        elif shape['type'] == 'boolean' and element.text not in ('true', 'false'):
            problems.append(f'{path}: {element.text!r} is no boolean')


def covers(name, param):
    """An unsupported parameter covers everything below it."""
    return name == param['name'] or (not param['built'] and re.match(re.escape(param['name']) + r'(\.|$)', name))


def check_inputs(model, action, problems):
    wanted, params = model.inputs(action['name']), action['params']
    for name, kind in wanted.items():
        rows = [p for p in params if covers(name, p)]
        if not rows:
            problems.append(f"{action['name']}: no row for {name}")
        elif rows[0]['built'] and rows[0]['type'] != kind and not (
                {rows[0]['type'], kind} <= {'string', 'boolean'} and 'MetadataOptions' in name or
                name == 'InstanceInitiatedShutdownBehavior' or 'DHGroupNumber' in name):  # words of a list here
            problems.append(f"{action['name']}: {name} is {kind}, not {rows[0]['type']}")
    for param in params:
        if param['name'] == 'DryRun':
            continue  # ours accepts it for all changes, EC2 for almost all
        below = [n for n in wanted if n == param['name'] or n.startswith(param['name'] + '.')]
        if not below and not NEWER.fullmatch(f"{action['name']} {param['name']}"):
            problems.append(f"{action['name']}: EC2 has no parameter {param['name']}")


def read_answer(path, item):
    """(status, root) of a golden answer, whole or of some members: "instancesSet[0].instanceId = i-1"."""
    if path.suffix == '.xml':
        status, _, body = path.read_text().partition('\n')
        return status, ET.fromstring(body)
    first, *lines = path.read_text().splitlines()
    status, _, name = first.partition(' ')
    root, made = ET.Element(name), {}
    for line in lines:
        at, way = root, ''
        for piece in re.findall(r'[^.\[\]]+', line.partition(' =')[0]):
            way += '/' + piece
            if way not in made:
                made[way] = ET.SubElement(at, item if piece.isdigit() else piece)
            at = made[way]
        at.text = line.partition(' = ')[2]
    return status, root


def check_golden(models, golden, problems):
    count = 0
    is_iam = golden.name == 'iam'
    for path in sorted([*golden.glob('*/*.xml'), *golden.glob('*/*.only')]):
        status, root = read_answer(path, 'member' if is_iam else 'item')
        if status != '200':
            continue
        name = root.tag.split('}')[-1].removesuffix('Response')
        if is_iam and name not in models['iam'].operations:
            continue  # a case of IAM may end with another face's answer
        count += 1
        model = models['iam' if is_iam else 'sts' if name in models['sts'].operations else 'ec2']
        elements = [c for c in root if c.tag.split('}')[-1] not in ('requestId', 'ResponseMetadata')]
        output = model.operations[name].get('output')
        if not output and is_iam:
            if elements:
                problems.append(f'{path}: an action without output has a result')
            continue
        if is_iam and [c.tag.split('}')[-1] for c in elements] != [output['resultWrapper']]:
            problems.append(f"{path}: not one {output['resultWrapper']}")
            continue
        if not output:
            if [c.tag.split('}')[-1] for c in elements] != ['return']:
                problems.append(f'{path}: an action without output answers <return>')
            continue
        holder = ET.Element('holder')
        holder.extend(elements[0] if 'resultWrapper' in output else elements)
        model.check_answer(holder, output['shape'], f'{path.parent.name}/{path.name}', problems)
    return count


def answers_by(request):
    """The action that a case tests: its last call's."""
    calls = [line for line in request.splitlines() if line and not re.match('#|=|@settle|@wait|@maintenance|@mask|@only', line)]
    return re.sub(r'^(@\w+ )?\??(Action=)?', '', calls[-1]).partition('&')[0]


def read_cases(folder, action):
    """(number of cases that the action answers, number that it refuses)."""
    fine = [f for f in folder.glob('*.req') if answers_by(f.read_text()) == action]
    refused = [f for f in fine if f.with_suffix('.xml').exists() and not f.with_suffix('.xml').read_text().startswith('200')]
    table = folder / 'errors.cases'
    cases = re.split(r'^== ', table.read_text(), flags=re.MULTILINE)[1:] if table.exists() else []
    return len(fine) - len(refused), len(refused) + sum(answers_by(case.partition('\n')[2]) == action for case in cases)


def check_codes(model, action, problems):
    """Each failure that the model lists is one that our table of codes lists (codes_known.def). EC2's model lists none."""
    known = set(action['codes']) | set(action['codes_left_out'])
    for shape in model.operations[action['name']].get('errors', ()):
        error = model.shapes[shape['shape']].get('error', {}).get('code', shape['shape'])
        if error not in known:
            problems.append(f"{action['name']}: codes_known.def does not list {error}")


def check_case_counts(dump):
    """Each action needs at least one golden case of a successful answer, and one of an error of its own."""
    problems = []
    for action in dump['actions']:
        prefix = 'sts-' if action['service'] == 'sts' else ''
        folder = ROOT / 'tests/golden' / ('iam' if action['service'] == 'iam' else 'ec2')
        fine, refused = read_cases(folder / (prefix + action['name']), action['name'])
        if not (fine or action['name'] in NO_GOLDEN_ANSWER) or not refused:
            problems.append(f"{action['name']}: {fine} golden cases of its answer, {refused} of errors")
    return problems


def main():
    dari = sys.argv[1] if len(sys.argv) > 1 else ROOT / 'build/dari'
    dump = json.loads(subprocess.run([dari, 'dump', 'actions'], check=True, capture_output=True).stdout)
    dump['actions'] += json.loads(subprocess.run([dari, 'dump', 'iam'], check=True, capture_output=True).stdout)['actions']
    models = {'ec2': Model('ec2', '2016-11-15'), 'sts': Model('sts', '2011-06-15'), 'iam': Model('iam', '2010-05-08')}
    problems = []
    for action in dump['actions']:
        model = models[action['service']]
        if action['name'] not in model.operations:
            problems.append(f"{action['name']}: EC2 has no such action")
            continue
        check_inputs(model, action, problems)
        check_codes(model, action, problems)
        if not action['doc'] or not action['permit']:
            problems.append(f"{action['name']}: no doc or permission")
        documented = model.documented_filters(action['name']).union(NEWER_FILTERS.get(action['name'], ())) if action['filters'] else set()
        problems += [f"{action['name']}: filter {f} is not documented" for f in action['filters']
                     if f not in documented and not EXTRA_FILTERS.match(f)]
    missing = set(models['ec2'].operations) - {a['name'] for a in dump['actions']} - set(dump['unbuilt'])
    problems += [f'{name}: neither built nor known' for name in sorted(missing)]
    problems += [f"left out, and nothing of it: {one['what']}" for one in dump['left_out'] if not one['actions']]
    answers = sum(check_golden(models, ROOT / 'tests/golden' / face, problems) for face in ('ec2', 'iam'))
    problems += check_case_counts(dump)
    print('\n'.join(problems))
    print(f"{len(dump['actions']) + answers - len(problems)} passed, {len(problems)} failed")
    sys.exit(bool(problems))


if __name__ == '__main__':
    main()
