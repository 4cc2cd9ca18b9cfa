import com.eatthepath.pushy.apns.ApnsClient;
import com.eatthepath.pushy.apns.ApnsClientBuilder;
import com.eatthepath.pushy.apns.DeliveryPriority;
import com.eatthepath.pushy.apns.PushType;
import com.eatthepath.pushy.apns.auth.ApnsSigningKey;
import com.eatthepath.pushy.apns.util.SimpleApnsPushNotification;
import java.io.File;
import java.time.Duration;
import java.time.Instant;

public final class Push {
    public static void main(String[] arguments) throws Exception {
        ApnsClient apns = new ApnsClientBuilder()
                .setApnsServer({{host}}, {{sandbox_port}})
                .setTrustedServerCertificateChain(new File({{ca}}))
                .setSigningKey(ApnsSigningKey.loadFromPkcs8File(new File({{key}}), {{team_id}}, {{key_id}}))
                .build();
        SimpleApnsPushNotification hello = new SimpleApnsPushNotification(
                {{device_token}}, {{topic}}, "{\"aps\":{\"alert\":\"Hello\"}}",
                Instant.now().plus(Duration.ofDays(1)), DeliveryPriority.IMMEDIATE, PushType.ALERT);
        System.out.println(apns.sendNotification(hello).get());
        apns.close().get();
    }
}
