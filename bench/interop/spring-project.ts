/** A Spring Boot application as `docs/clients/spring-security.md` says, with a page that names who is signed in. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Writes the project that Maven builds to `target/interop.jar`. */
export function writeSpringProject(folder: string, boot: string): void {
  const files = {
    'pom.xml': pom(boot),
    'src/main/java/interop/Application.java': application,
    'src/main/java/interop/SecurityConfiguration.java': security(boot.startsWith('3.')),
  }
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
}

const starters = ['web', 'security', 'oauth2-client']

const pom = (boot: string): string => `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <parent>
    <groupId>org.springframework.boot</groupId>
    <artifactId>spring-boot-starter-parent</artifactId>
    <version>${boot}</version>
    <relativePath/>
  </parent>
  <groupId>interop</groupId>
  <artifactId>interop</artifactId>
  <version>1</version>
  <dependencies>
${starters
  .map(
    (name) => `    <dependency>
      <groupId>org.springframework.boot</groupId>
      <artifactId>spring-boot-starter-${name}</artifactId>
    </dependency>`,
  )
  .join('\n')}
  </dependencies>
  <build>
    <finalName>interop</finalName>
    <plugins>
      <plugin>
        <groupId>org.springframework.boot</groupId>
        <artifactId>spring-boot-maven-plugin</artifactId>
      </plugin>
    </plugins>
  </build>
</project>
`

const application = `package interop;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.security.core.annotation.AuthenticationPrincipal;
import org.springframework.security.oauth2.core.oidc.user.OidcUser;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

@SpringBootApplication
@RestController
public class Application {
  public static void main(String[] arguments) {
    SpringApplication.run(Application.class, arguments);
  }

  @GetMapping("/")
  String home(@AuthenticationPrincipal OidcUser user) {
    return "signed in as " + user.getEmail();
  }

  @GetMapping("/goodbye")
  String goodbye() {
    return "signed out";
  }
}
`

const security = (asksForPkce: boolean): string => `package interop;

import static org.springframework.security.config.Customizer.withDefaults;

import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.oauth2.client.oidc.web.logout.OidcClientInitiatedLogoutSuccessHandler;
import org.springframework.security.oauth2.client.registration.ClientRegistrationRepository;
import org.springframework.security.oauth2.client.web.DefaultOAuth2AuthorizationRequestResolver;
import org.springframework.security.oauth2.client.web.OAuth2AuthorizationRequestCustomizers;
import org.springframework.security.web.SecurityFilterChain;

@Configuration
class SecurityConfiguration {
  @Bean
  SecurityFilterChain security(HttpSecurity http, ClientRegistrationRepository registrations) throws Exception {
    var signOut = new OidcClientInitiatedLogoutSuccessHandler(registrations);
    signOut.setPostLogoutRedirectUri("{baseUrl}/goodbye");
${
  asksForPkce
    ? `    var resolver = new DefaultOAuth2AuthorizationRequestResolver(registrations, "/oauth2/authorization");
    resolver.setAuthorizationRequestCustomizer(OAuth2AuthorizationRequestCustomizers.withPkce());
`
    : ''
}    return http
        .authorizeHttpRequests(requests -> requests
            .requestMatchers("/goodbye").permitAll()
            .anyRequest().authenticated())
        .oauth2Login(${asksForPkce ? 'login -> login.authorizationEndpoint(end -> end.authorizationRequestResolver(resolver))' : 'withDefaults()'})
        .logout(logout -> logout.logoutSuccessHandler(signOut))
        .oidcLogout(logout -> logout.backChannel(withDefaults()))
        .build();
  }
}
`
