// SPDX-License-Identifier: Apache-2.0
// AWS's SDK for Java, version 2: builders, paginators, waiters and errors. It reads AWS_ENDPOINT_URL and the keys by itself.
import java.util.List;
import java.util.concurrent.Callable;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.Filter;
import software.amazon.awssdk.services.ec2.model.InstanceType;
import software.amazon.awssdk.services.ec2.model.Tag;
import software.amazon.awssdk.services.iam.IamClient;
import software.amazon.awssdk.services.sts.StsClient;

public class Tour extends Steps {
    static final Ec2Client ec2 = Ec2Client.create();
    static final IamClient iam = IamClient.builder().region(Region.AWS_GLOBAL).build();
    static String vpc, subnet, instance, volume;

    static Object refused(Callable<Object> call, String code) throws Exception {
        try {
            call.call();
        } catch (AwsServiceException e) {
            return same(e.awsErrorDetails().errorCode(), code);
        }
        throw new IllegalStateException("answered instead of refusing with " + code);
    }

    static Object lookAround() {
        same(StsClient.create().getCallerIdentity().account().length(), 12);
        List<InstanceType> types = ec2.describeInstanceTypesPaginator(r -> r.maxResults(5)).instanceTypes().stream().map(t -> t.instanceType()).toList();
        return same(types.contains(InstanceType.T3_MICRO), true);
    }

    static Object makeNetwork() {
        vpc = ec2.createVpc(r -> r.cidrBlock("10.7.0.0/16")).vpc().vpcId();
        ec2.waiter().waitUntilVpcAvailable(r -> r.vpcIds(vpc));
        subnet = ec2.createSubnet(r -> r.vpcId(vpc).cidrBlock("10.7.1.0/24")).subnet().subnetId();
        return subnet;
    }

    static Object makeInstance() {
        instance = ec2.runInstances(r -> r.imageId(System.getenv("IMAGE")).instanceType(InstanceType.T3_MICRO).minCount(1).maxCount(1).subnetId(subnet))
            .instances().get(0).instanceId();
        ec2.waiter().waitUntilInstanceRunning(r -> r.instanceIds(instance));
        ec2.createTags(r -> r.resources(instance).tags(Tag.builder().key("team").value("blue").build()));
        Filter blue = Filter.builder().name("tag:team").values("blue").build();
        return same(ec2.describeInstancesPaginator(r -> r.filters(blue)).reservations().stream().count(), 1L);
    }

    static Object makeVolume() {
        String zone = ec2.describeAvailabilityZones().availabilityZones().get(0).zoneName();
        volume = ec2.createVolume(r -> r.availabilityZone(zone).size(1).volumeType("gp3")).volumeId();
        ec2.waiter().waitUntilVolumeAvailable(r -> r.volumeIds(volume));
        ec2.deleteVolume(r -> r.volumeId(volume));
        return ec2.waiter().waitUntilVolumeDeleted(r -> r.volumeIds(volume));
    }

    static Object people() throws Exception {
        iam.createUser(r -> r.userName("anna"));
        same(iam.listUsersPaginator().users().stream().filter(u -> u.userName().equals("anna")).count(), 1L);
        iam.deleteUser(r -> r.userName("anna"));
        return refused(() -> iam.getUser(r -> r.userName("anna")), "NoSuchEntity");
    }

    static Object errors() throws Exception {
        refused(() -> ec2.deleteVpc(r -> r.vpcId(vpc)), "DependencyViolation");
        return refused(() -> ec2.describeInstances(r -> r.instanceIds("i-0123456789abcdef0")), "InvalidInstanceID.NotFound");
    }

    static Object deleteAll() {
        ec2.terminateInstances(r -> r.instanceIds(instance));
        ec2.waiter().waitUntilInstanceTerminated(r -> r.instanceIds(instance));
        ec2.deleteSubnet(r -> r.subnetId(subnet));
        return ec2.deleteVpc(r -> r.vpcId(vpc));
    }

    public static void main(String[] arguments) {
        step("identity and types by pages", Tour::lookAround);
        step("a network", Tour::makeNetwork);
        step("an instance by a waiter, tagged and found", Tour::makeInstance);
        step("a volume by waiters", Tour::makeVolume);
        step("a user", Tour::people);
        step("errors have their codes", Tour::errors);
        step("all is deleted", Tour::deleteAll);
        end();
    }
}
