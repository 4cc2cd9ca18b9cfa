package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log"
	"os"

	"github.com/sideshow/apns2"
	"github.com/sideshow/apns2/token"
	"golang.org/x/net/http2"
)

func main() {
	ca, err := os.ReadFile({{ca}})
	if err != nil {
		log.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	key, err := token.AuthKeyFromFile({{key}})
	if err != nil {
		log.Fatal(err)
	}
	client := apns2.NewTokenClient(&token.Token{AuthKey: key, KeyID: {{key_id}}, TeamID: {{team_id}}})
	client.Host = {{sandbox_url}}
	client.HTTPClient.Transport.(*http2.Transport).TLSClientConfig = &tls.Config{RootCAs: roots}
	answer, err := client.Push(&apns2.Notification{
		DeviceToken: {{device_token}},
		Topic:       {{topic}},
		PushType:    apns2.PushTypeAlert,
		Payload:     []byte(`{"aps":{"alert":"Hello"}}`),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer.StatusCode, answer.ApnsID, answer.Reason)
}
