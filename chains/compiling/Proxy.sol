// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.0;

/// A contract whose code can be exchanged: it keeps address and data, and runs the code that stands elsewhere (ERC-1967).
///
/// Whoever deployed it is its admin. The admin alone can have it run other code, by `upgradeToAndCall`; everything else
/// goes through to the code, for the admin as for everybody. So no function of the code may be called
/// `upgradeToAndCall(address,bytes)`: the console refuses such code.
contract Proxy {
    /// keccak256("eip1967.proxy.implementation") - 1
    bytes32 private constant IMPLEMENTATION = 0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc;
    /// keccak256("eip1967.proxy.admin") - 1
    bytes32 private constant ADMIN = 0xb53127684a568b3173ae13b9f8a6016e243e63b6e8ee1178d6a717850b5d6103;

    event Upgraded(address indexed implementation);
    event AdminChanged(address previousAdmin, address newAdmin);

    constructor(address implementation, bytes memory data) payable {
        _store(ADMIN, msg.sender);
        emit AdminChanged(address(0), msg.sender);
        _upgrade(implementation, data);
    }

    function upgradeToAndCall(address implementation, bytes calldata data) external payable {
        if (msg.sender == _load(ADMIN)) {
            _upgrade(implementation, data);
        } else {
            _delegate(_load(IMPLEMENTATION));
        }
    }

    fallback() external payable {
        _delegate(_load(IMPLEMENTATION));
    }

    receive() external payable {
        _delegate(_load(IMPLEMENTATION));
    }

    function _upgrade(address implementation, bytes memory data) private {
        require(implementation.code.length > 0, "there is no code at this address");
        _store(IMPLEMENTATION, implementation);
        emit Upgraded(implementation);
        if (data.length > 0) {
            (bool done, bytes memory said) = implementation.delegatecall(data);
            if (!done) {
                assembly {
                    revert(add(said, 32), mload(said))
                }
            }
        }
    }

    function _delegate(address implementation) private {
        assembly {
            calldatacopy(0, 0, calldatasize())
            let done := delegatecall(gas(), implementation, 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            switch done
            case 0 { revert(0, returndatasize()) }
            default { return(0, returndatasize()) }
        }
    }

    function _load(bytes32 slot) private view returns (address found) {
        assembly {
            found := sload(slot)
        }
    }

    function _store(bytes32 slot, address value) private {
        assembly {
            sstore(slot, value)
        }
    }
}
