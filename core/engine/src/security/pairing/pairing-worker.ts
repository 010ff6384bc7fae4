/** The worker's own entry: Argon2 takes 200 ms of one core, which must not be the loop that carries packets. */
import { parentPort } from 'node:worker_threads';
import * as opaque from '@serenity-kit/opaque';
import type { PairingOperations, WorkerRequest, WorkerResponse } from './operations.ts';

type Handlers = {
  [Name in keyof PairingOperations]: (
    params: PairingOperations[Name]['params'],
  ) => PairingOperations[Name]['result'];
};

const handlers: Handlers = {
  register({ password, serverId }) {
    const setup = opaque.server.createSetup();
    const { clientRegistrationState, registrationRequest } = opaque.client.startRegistration({ password });
    const { registrationResponse } = opaque.server.createRegistrationResponse({
      serverSetup: setup,
      userIdentifier: serverId,
      registrationRequest,
    });
    const { registrationRecord } = opaque.client.finishRegistration({
      password,
      registrationResponse,
      clientRegistrationState,
      identifiers: { server: serverId },
    });
    return { setup, record: registrationRecord };
  },
  serverStart({ setup, record, request, serverId }) {
    const { serverLoginState, loginResponse } = opaque.server.startLogin({
      serverSetup: setup,
      registrationRecord: record,
      startLoginRequest: request,
      userIdentifier: serverId,
      identifiers: { server: serverId },
    });
    return { state: serverLoginState, response: loginResponse };
  },
  serverFinish({ state, finish, serverId }) {
    return opaque.server.finishLogin({
      serverLoginState: state,
      finishLoginRequest: finish,
      identifiers: { server: serverId },
    });
  },
  clientStart({ password }) {
    const { clientLoginState, startLoginRequest } = opaque.client.startLogin({ password });
    return { state: clientLoginState, request: startLoginRequest };
  },
  clientFinish({ password, state, response, serverId }) {
    const login = opaque.client.finishLogin({
      clientLoginState: state,
      loginResponse: response,
      password,
      identifiers: { server: serverId },
    });
    return login ? { finish: login.finishLoginRequest, sessionKey: login.sessionKey } : null;
  },
};

function run({ operation, params }: WorkerRequest): WorkerResponse['result'] {
  try {
    return (handlers[operation] as (params: WorkerRequest['params']) => WorkerResponse['result'])(params);
  } catch {
    // The library throws on messages that it cannot read; which of them is wrong helps nobody but an attacker.
    return null;
  }
}

await opaque.ready;
parentPort?.on('message', (request: WorkerRequest) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- threads have no origin
  parentPort?.postMessage({ id: request.id, result: run(request) } satisfies WorkerResponse);
});
